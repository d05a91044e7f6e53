import type { Batch, Progress } from '@/shared/api/types';

/** While something moves; the server answers 304 when nothing has changed. */
export const POLL_MS = 1_000;
/** A list beside the open batch, which brings its own news into it. */
export const SLOW_POLL_MS = 5_000;
/** In a hidden tab nobody looks, but a finished batch should be there on return. */
export const POLL_HIDDEN_MS = 30_000;

export function isMoving(progress: Progress): boolean {
  return progress.pending > 0 || progress.processing > 0;
}

/** Milliseconds until the next look at these batches, or false when all of them have come to rest. */
export function pollInterval(
  batches: readonly Pick<Batch, 'progress'>[],
  hidden: boolean,
): number | false {
  if (!batches.some(({ progress }) => isMoving(progress))) return false;
  return hidden ? POLL_HIDDEN_MS : POLL_MS;
}

/** The batch whose page is open: it is polled by that page, for the lists, too. */
export const watched: { id: string | null } = { id: null };

/** The same for a list, which leaves the open batch to its page. */
export function listPollInterval(
  batches: readonly Pick<Batch, 'id' | 'progress'>[],
  hidden: boolean,
): number | false {
  const others = batches.filter(({ id }) => id !== watched.id);
  const interval = pollInterval(others, hidden);
  if (interval === false || watched.id === null) return interval;
  return Math.max(interval, SLOW_POLL_MS);
}
