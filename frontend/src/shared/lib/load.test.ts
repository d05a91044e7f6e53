import { http, HttpResponse } from 'msw';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { server } from '@/testing/server';

import { loadPatiently } from './load';

const page = (file: string) => `<script type="module" src="/static/assets/${file}"></script>`;

describe('a part of the application that cannot be loaded', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    document.head.innerHTML = page('index-1.js');
  });
  afterEach(() => {
    vi.useRealTimers();
    document.head.innerHTML = '';
  });

  const failing = (failures: number) => {
    let calls = 0;
    return vi.fn(() =>
      calls++ < failures ? Promise.reject(new TypeError('gone')) : Promise.resolve('part'),
    );
  };

  it('is waited for while the server is away, and nothing is reloaded', async () => {
    server.use(http.get('/', () => HttpResponse.error()));
    const reload = vi.fn();
    const load = failing(3);
    const part = loadPatiently(load, reload);
    await vi.waitFor(async () => {
      await vi.advanceTimersByTimeAsync(10_000);
      expect(load).toHaveBeenCalledTimes(4);
    });
    await expect(part).resolves.toBe('part');
    expect(reload).not.toHaveBeenCalled();
  });

  it('is no update when the server has the same build', async () => {
    server.use(http.get('/', () => HttpResponse.html(page('index-1.js'))));
    const reload = vi.fn();
    const load = failing(1);
    const part = loadPatiently(load, reload);
    await vi.waitFor(async () => {
      await vi.advanceTimersByTimeAsync(10_000);
      expect(load).toHaveBeenCalledTimes(2);
    });
    await expect(part).resolves.toBe('part');
    expect(reload).not.toHaveBeenCalled();
  });

  it('leads to a reload when the server has another build', async () => {
    server.use(http.get('/', () => HttpResponse.html(page('index-2.js'))));
    const reload = vi.fn();
    void loadPatiently(failing(9), reload);
    await vi.waitFor(() => expect(reload).toHaveBeenCalled());
  });
});
