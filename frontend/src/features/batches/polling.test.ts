import { InfiniteQueryObserver, QueryObserver } from '@tanstack/react-query';
import { http, HttpResponse } from 'msw';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createQueryClient } from '@/app/query-client';
import type { Progress } from '@/shared/api/types';
import { pass, stopClock } from '@/testing/clock';
import { makeBatch, makeItem } from '@/testing/data';
import { problem, server } from '@/testing/server';

import { batchListQuery, batchQuery } from './api';
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

describe('polling through trouble', () => {
  const moving = makeBatch([makeItem({ status: 'processing' })]);
  let asked = 0;
  let answer: () => Response;

  beforeEach(() => {
    asked = 0;
    answer = () => HttpResponse.json({ ...moving, batches: [moving], total: 1 });
    const asking = () => {
      asked += 1;
      return answer();
    };
    server.use(
      http.get('/api/video/batches/batch-1', asking),
      http.get('/api/video/batches', asking),
    );
    stopClock();
  });

  afterEach(() => vi.useRealTimers());

  const client = createQueryClient();
  const watches = {
    batch: () => new QueryObserver(client, batchQuery('batch-1')).subscribe(() => undefined),
    list: () =>
      new InfiniteQueryObserver(client, batchListQuery({ search: '', status: 'all' })).subscribe(
        () => undefined,
      ),
  };

  it.each(['batch', 'list'] as const)('goes on with a %s when the server is back', async (what) => {
    const stop = watches[what]();
    await pass(3);
    expect(asked).toBeGreaterThan(1);
    answer = () => problem(503, 'unavailable');
    await pass(20);
    asked = 0;
    await pass(20);
    expect(asked).toBeGreaterThan(0);
    answer = () => HttpResponse.json({ ...moving, batches: [moving], total: 1 });
    await pass(10);
    asked = 0;
    await pass(5);
    expect(asked).toBeGreaterThan(2);
    stop();
    client.clear();
  });

  it('tries no sooner than an overloaded server wants', async () => {
    const stop = watches.batch();
    await pass(2);
    answer = () =>
      HttpResponse.json({ code: 'busy' }, { status: 503, headers: { 'Retry-After': '5' } });
    asked = 0;
    await pass(4.5);
    expect(asked).toBe(1);
    await pass(3);
    expect(asked).toBe(2);
    stop();
    client.clear();
  });

  it('asks no sooner than the server wants, and never again what was refused', async () => {
    const stop = watches.batch();
    await pass(2);
    answer = () =>
      HttpResponse.json({ code: 'throttled' }, { status: 429, headers: { 'Retry-After': '30' } });
    await pass(2);
    asked = 0;
    await pass(20);
    expect(asked).toBe(0);
    answer = () => problem(403, 'permission_denied');
    await pass(20);
    expect(asked).toBe(1);
    await pass(40);
    expect(asked).toBe(1);
    stop();
    client.clear();
  });
});
