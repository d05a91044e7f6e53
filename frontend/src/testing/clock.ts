import { vi } from 'vitest';

const realTimeout = globalThis.setTimeout;

/** Timers go by the clock of the test, which stands still but for `pass`; `vi.useRealTimers()` ends that. */
export function stopClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
}

/** Answers need turns of the real event loop, which the clock of the test does not move. */
export async function pass(seconds: number): Promise<void> {
  for (let quarters = seconds * 4; quarters > 0; quarters--) {
    await vi.advanceTimersByTimeAsync(250);
    await new Promise((resolve) => realTimeout(resolve, 0));
  }
}
