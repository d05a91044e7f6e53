import { describe, expect, it } from 'vitest';

import type { Progress } from '@/shared/api/types';

import {
  listPollInterval,
  POLL_HIDDEN_MS,
  POLL_MS,
  pollInterval,
  SLOW_POLL_MS,
  watched,
} from './polling';

function progress(part: Partial<Progress>): { progress: Progress } {
  return {
    progress: {
      overall_progress: 0,
      total: 3,
      completed: 0,
      processing: 0,
      pending: 0,
      queued: 0,
      failed: 0,
      cancelled: 0,
      queue_position: null,
      eta_seconds: null,
      eta_waiting_seconds: null,
      eta_rendering_seconds: null,
      ...part,
    },
  };
}

describe('pollInterval', () => {
  it('polls every second while an item waits or renders', () => {
    expect(pollInterval([progress({ pending: 1 })], false)).toBe(POLL_MS);
    expect(pollInterval([progress({ completed: 3 }), progress({ processing: 1 })], false)).toBe(
      1_000,
    );
  });

  it('polls less often in a hidden tab', () => {
    expect(pollInterval([progress({ processing: 1 })], true)).toBe(POLL_HIDDEN_MS);
    expect(POLL_HIDDEN_MS).toBeGreaterThan(POLL_MS);
  });

  it('stops once every item has come to rest', () => {
    expect(pollInterval([progress({ completed: 1, failed: 1, cancelled: 1 })], false)).toBe(false);
    expect(pollInterval([], false)).toBe(false);
  });
});

describe('listPollInterval', () => {
  const open = { id: 'open', ...progress({ pending: 1 }) };
  const other = { id: 'other', ...progress({ processing: 1 }) };

  it('leaves the open batch to its page', () => {
    watched.id = 'open';
    expect(listPollInterval([open], false)).toBe(false);
    expect(listPollInterval([open, other], false)).toBe(SLOW_POLL_MS);
    watched.id = null;
    expect(listPollInterval([open], false)).toBe(POLL_MS);
  });
});
