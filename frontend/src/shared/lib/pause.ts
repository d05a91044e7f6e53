/** Waits that end early when what they are for is given up. */

/** Resolves after `ms`, or as soon as the signal is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise<void>((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const done = () => {
      window.clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = window.setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}

/** Resolves at once while the browser is online; otherwise when it is again, but after `ms` at the latest. */
export async function whenOnline(ms: number, signal?: AbortSignal): Promise<void> {
  if (navigator.onLine) return;
  const back = new AbortController();
  const onOnline = () => back.abort();
  window.addEventListener('online', onOnline);
  await pause(ms, signal ? AbortSignal.any([signal, back.signal]) : back.signal);
  window.removeEventListener('online', onOnline);
}
