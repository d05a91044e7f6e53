import { act, renderHook } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { useRecorder } from './recorder';

const stopped = vi.fn();
const stream = { getTracks: () => [{ stop: stopped }] } as unknown as MediaStream;

/** What the user answers to the browser's question, in the order of the questions. */
let answers: ((allowed: boolean) => void)[] = [];
let begun = 0;
let usable = true;

class FakeRecorder {
  state = 'inactive';
  mimeType = 'audio/webm';
  ondataavailable: ((event: { data: Blob }) => void) | null = null;
  onstop: (() => void) | null = null;

  constructor() {
    if (!usable) throw new DOMException('No encoder.', 'NotSupportedError');
  }

  start() {
    this.state = 'recording';
    begun += 1;
  }

  stop() {
    this.state = 'inactive';
    this.ondataavailable?.({ data: new Blob(['speech']) });
    this.onstop?.();
  }
}

const closed = vi.fn(() => Promise.resolve());

class FakeContext {
  createAnalyser = () => ({ fftSize: 0, getFloatTimeDomainData: () => undefined });
  createMediaStreamSource = () => ({ connect: () => undefined });
  close = closed;
}

beforeEach(() => {
  answers = [];
  begun = 0;
  usable = true;
  stopped.mockClear();
  closed.mockClear();
  vi.stubGlobal('MediaRecorder', FakeRecorder);
  vi.stubGlobal('AudioContext', FakeContext);
  const getUserMedia = () =>
    new Promise<MediaStream>((resolve, reject) => {
      answers.push((allowed) =>
        allowed ? resolve(stream) : reject(new DOMException('No.', 'NotAllowedError')),
      );
    });
  Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: { getUserMedia } });
});

afterEach(() => {
  Reflect.deleteProperty(navigator, 'mediaDevices');
});

function open() {
  const recorded: File[] = [];
  const view = renderHook(() =>
    useRecorder(
      (file) => recorded.push(file),
      () => 'Take',
    ),
  );
  return { ...view, recorded };
}

const answer = (allowed: boolean, question = 0) =>
  act(async () => {
    answers[question]?.(allowed);
    await Promise.resolve();
  });

describe('the recorder', () => {
  it('hands over what it recorded, and lets the microphone go', async () => {
    const { result, recorded } = open();
    act(() => result.current.start());
    await answer(true);
    expect(result.current.state).toBe('recording');
    act(() => result.current.stop());
    expect(recorded.map(({ name, type }) => [name, type])).toEqual([['Take.weba', 'audio/webm']]);
    expect(stopped).toHaveBeenCalledOnce();
    expect(result.current.state).toBe('idle');
  });

  it('does not listen to somebody who left before the microphone was allowed', async () => {
    const { result, unmount } = open();
    act(() => result.current.start());
    unmount();
    await answer(true);
    expect(begun).toBe(0);
    expect(stopped).toHaveBeenCalledOnce();
  });

  it('can be given up while the browser asks, and begun again', async () => {
    const { result } = open();
    act(() => result.current.start());
    act(() => result.current.discard());
    expect(result.current.state).toBe('idle');
    act(() => result.current.start());
    await answer(true, 0);
    expect(stopped).toHaveBeenCalledOnce();
    expect(begun).toBe(0);
    expect(result.current.state).toBe('starting');
    await answer(true, 1);
    expect(begun).toBe(1);
    expect(result.current.state).toBe('recording');
    act(() => result.current.discard());
  });

  it('says nothing of a question that nobody waits for', async () => {
    const { result } = open();
    act(() => result.current.start());
    act(() => result.current.discard());
    await answer(false);
    expect(result.current.problem).toBeNull();
  });

  it('lets the microphone go where it cannot record from it', async () => {
    usable = false;
    const { result } = open();
    act(() => result.current.start());
    await answer(true);
    expect(result.current).toMatchObject({ state: 'idle', problem: 'mic_missing' });
    expect(stopped).toHaveBeenCalledOnce();
    expect(closed).toHaveBeenCalledOnce();
  });
});
