import { QueryObserver } from '@tanstack/react-query';
import { http, HttpResponse } from 'msw';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { createQueryClient } from '@/app/query-client';
import { pass, stopClock } from '@/testing/clock';
import { makeStatus } from '@/testing/data';
import { problem, server } from '@/testing/server';

import { offersQuery } from './offers';

afterEach(() => vi.useRealTimers());

describe('what the server offers', () => {
  it.each([503, 429, 403])(
    'is asked for until it is told, whatever a %i is about',
    async (status) => {
      let away = true;
      let asked = 0;
      server.use(
        http.get('/api/engine/status', () => {
          asked += 1;
          return away
            ? problem(status, 'x')
            : HttpResponse.json(makeStatus({ limits: { credits_per_started_s: 2 } }));
        }),
      );
      stopClock();
      const client = createQueryClient();
      const watch = new QueryObserver(client, offersQuery);
      const stop = watch.subscribe(() => undefined);
      await pass(20);
      away = false;
      await pass(10);
      expect(watch.getCurrentResult().data?.automatic.limits.credits_per_started_s).toBe(2);
      asked = 0;
      await pass(40);
      expect(asked).toBe(0);
      stop();
      client.clear();
    },
  );
});
