/** How polling goes on when a look at the server brought nothing. */
import { toApiError } from '../api/errors';

/** Often enough to notice that the server is back, and no burden to one that is overloaded. */
export const TROUBLE_POLL_MS = 5_000;
/** Whatever the server asks for: a wait too long for a timer would be none at all. */
const LONGEST_WAIT_MS = 3_600_000;

/**
 * Milliseconds until the next look after an error, for `refetchInterval`. Trouble passes, so looks go on for as
 * long as it lasts; a refusal stays one, and ends them.
 */
export function pollAfter(error: unknown): number | false {
  return toApiError(error).isPassing ? Math.max(TROUBLE_POLL_MS, askedWait(error)) : false;
}

/** Milliseconds that the server asks to wait; 0: it asks for none. */
export function askedWait(error: unknown): number {
  return Math.min(LONGEST_WAIT_MS, (toApiError(error).retryAfter ?? 0) * 1_000);
}
