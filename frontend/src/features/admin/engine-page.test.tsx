import { screen, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';

import { makeUser } from '@/testing/data';
import { openApp } from '@/testing/render';
import { server } from '@/testing/server';

const worker = {
  id: '1',
  name: 'render-1:4711',
  version: '1.0.0',
  state: 'paused',
  trouble: 'store_away',
  detail: 'The media store does not answer. Videos wait until it does.',
  slots: 2,
  engines: ['portrait'],
  rendering: ['a'],
  started_at: '2026-11-26T08:00:00Z',
  seen_at: '2026-11-26T09:00:00Z',
};

function answerWith(workers: unknown[]) {
  server.use(
    http.get('/api/user/profile', () =>
      HttpResponse.json(makeUser({ isAdmin: true, is_admin: true })),
    ),
    http.get('/api/token/status', () => HttpResponse.json({ valid: true })),
    http.get('/api/engine/status', () =>
      HttpResponse.json({
        engine: 'portrait',
        label: 'Portrait',
        ready: true,
        detail: '',
        capabilities: { fps: 25 },
        queue: { pending: 3, processing: 1 },
      }),
    ),
    http.get('/api/admin/workers', () => HttpResponse.json({ workers })),
  );
}

describe('the engine page', () => {
  it('lists the workers, what they do and why one takes nothing', async () => {
    answerWith([worker, { ...worker, id: '2', name: 'render-2:1', state: 'ready', detail: '' }]);
    openApp('/manage/engine');
    const [paused, ready] = await screen.findAllByText(/^render-/);
    const row = within(paused!.closest('li')!);
    expect(row.getByText('不接受任务')).toBeInTheDocument();
    expect(row.getByText(/2 个位置中 1 个在使用 · portrait/)).toBeInTheDocument();
    expect(row.getByText(worker.detail)).toBeInTheDocument();
    expect(within(ready!.closest('li')!).getByText('接受任务')).toBeInTheDocument();
  });

  it('says that no worker runs', async () => {
    answerWith([]);
    openApp('/manage/engine');
    expect(await screen.findByText(/没有工作进程在运行/)).toBeInTheDocument();
  });
});
