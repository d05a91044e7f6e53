import { describe, expect, it } from 'vitest';

import { ApiError } from '../api/errors';
import { pollAfter, TROUBLE_POLL_MS } from './poll';

const answered = (status: number, retryAfter: number | null = null) =>
  pollAfter(new ApiError(status, `http_${status}`, '', {}, retryAfter));

describe('pollAfter', () => {
  it('goes on slowly while the server is away, overloaded, or cannot be reached', () => {
    for (const status of [408, 429, 500, 502, 503, 504])
      expect(answered(status)).toBe(TROUBLE_POLL_MS);
    expect(pollAfter(new TypeError('Failed to fetch'))).toBe(TROUBLE_POLL_MS);
    expect(pollAfter(new ApiError(0, 'timeout', ''))).toBe(TROUBLE_POLL_MS);
    expect(pollAfter(new ApiError(200, 'bad_answer', ''))).toBe(TROUBLE_POLL_MS);
  });

  it('waits for as long as the server asks, and no timer is too long to be one', () => {
    expect(answered(429, 40)).toBe(40_000);
    expect(answered(503, 1)).toBe(TROUBLE_POLL_MS);
    expect(answered(503, 9_999_999_999)).toBe(3_600_000);
  });

  it('ends at a refusal', () => {
    for (const status of [400, 401, 403, 404]) expect(answered(status)).toBe(false);
    expect(pollAfter(new ApiError(0, 'aborted', ''))).toBe(false);
  });
});
