import { act, renderHook } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { makeBatch, makeItem } from '@/testing/data';

import { noteProgress, setNotices, useNotices } from './notices';

const shown: string[] = [];
let asked = 0;

class FakeNotification {
  static permission: NotificationPermission = 'default';
  static requestPermission() {
    asked += 1;
    FakeNotification.permission = 'granted';
    return Promise.resolve('granted');
  }
  onclick = null;
  constructor(title: string, options: NotificationOptions) {
    shown.push(`${title}: ${options.body}`);
  }
  close() {}
}

const batch = (status: 'processing' | 'completed', id = 'b1') => {
  const made = makeBatch([makeItem({ status })], { id, name: 'Spring' });
  const moving = status === 'processing' ? 1 : 0;
  return { ...made, progress: { ...made.progress, pending: 0, processing: moving } };
};
const told = (batches: ReturnType<typeof batch>[]) => noteProgress(batches, () => 'done');

beforeEach(() => {
  shown.length = 0;
  asked = 0;
  FakeNotification.permission = 'default';
  localStorage.clear();
  vi.stubGlobal('Notification', FakeNotification);
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
});

afterEach(() => vi.restoreAllMocks());

describe('notices', () => {
  it('tell once of each batch that came to rest since it was seen moving', async () => {
    await setNotices(true);
    told([batch('processing'), batch('completed', 'old')]);
    told([batch('completed'), batch('completed', 'old')]);
    told([batch('completed')]);
    expect(shown).toEqual(['Spring: done']);
    expect(asked).toBe(1);
  });

  it('ask nothing and tell nothing before somebody wants them', () => {
    told([batch('processing')]);
    told([batch('completed')]);
    expect(shown).toEqual([]);
    expect(asked).toBe(0);
  });

  it('are silent while the page is looked at, and after they were switched off', async () => {
    await setNotices(true);
    vi.spyOn(document, 'hidden', 'get').mockReturnValue(false);
    told([batch('processing')]);
    told([batch('completed')]);
    vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
    await setNotices(false);
    told([batch('processing')]);
    told([batch('completed')]);
    expect(shown).toEqual([]);
  });

  it('are not to be had, and break nothing, where the browser lets nobody make them', async () => {
    let tried = 0;
    class Illegal {
      static permission = 'granted';
      constructor() {
        tried += 1;
        throw new TypeError("Failed to construct 'Notification': Illegal constructor");
      }
    }
    vi.stubGlobal('Notification', Illegal);
    const { result } = renderHook(() => useNotices());
    await act(() => setNotices(true));
    expect(result.current).toBe('on');
    for (const id of ['b1', 'b2']) {
      act(() => told([batch('processing', id)]));
      act(() => told([batch('completed', id)]));
    }
    expect(tried).toBe(1);
    expect(result.current).toBe('unsupported');
  });
});
