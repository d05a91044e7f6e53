/** Whether the server was reached last time; what every request reports and the shell shows. */
import { useSyncExternalStore } from 'react';

let reachable = true;
const listeners = new Set<() => void>();

function set(value: boolean): void {
  if (value === reachable) return;
  reachable = value;
  for (const listener of listeners) listener();
}

export const reportReachable = () => set(true);
export const reportUnreachable = () => set(false);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('online', listener);
  window.addEventListener('offline', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('online', listener);
    window.removeEventListener('offline', listener);
  };
}

/** False while the browser is offline or the server does not answer. */
export function useConnected(): boolean {
  return useSyncExternalStore(subscribe, () => navigator.onLine && reachable);
}
