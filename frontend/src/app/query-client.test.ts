import { http, HttpResponse } from 'msw';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { request } from '@/shared/api/client';
import { pass, stopClock } from '@/testing/clock';
import { server } from '@/testing/server';

import { createQueryClient } from './query-client';

beforeEach(stopClock);
afterEach(() => vi.useRealTimers());

/** Asks once for something that is away with these headers, then there; tells how often it was asked. */
function asking(headers: Record<string, string>) {
  let calls = 0;
  server.use(
    http.get('/api/thing', () => {
      calls += 1;
      return calls === 1
        ? HttpResponse.json({ code: 'busy' }, { status: 503, headers })
        : HttpResponse.json({ is: 'there' });
    }),
  );
  const client = createQueryClient();
  const answer = client.fetchQuery({
    queryKey: ['thing'],
    queryFn: () => request('/api/thing'),
    // One that is fetched, rather than shown, is not tried again unless it says so.
    retry: client.getDefaultOptions().queries?.retry,
  });
  return { answer, calls: () => calls };
}

describe('a query that an overloaded server did not answer', () => {
  it('is tried again, and no sooner than the server asks', async () => {
    const { answer, calls } = asking({ 'Retry-After': '5' });
    await pass(4.5);
    expect(calls()).toBe(1);
    await pass(2);
    await expect(answer).resolves.toEqual({ is: 'there' });
    expect(calls()).toBe(2);
  });

  it('is tried again soon where the server asks for no wait', async () => {
    const { answer, calls } = asking({});
    await pass(2);
    await expect(answer).resolves.toEqual({ is: 'there' });
    expect(calls()).toBe(2);
  });
});
