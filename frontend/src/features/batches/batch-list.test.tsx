import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { makeBatch, makeItem } from '@/testing/data';
import { EagerObserver } from '@/testing/observers';
import { openApp } from '@/testing/render';
import { problem, server } from '@/testing/server';

const all = Array.from({ length: 45 }, (_, number) =>
  makeBatch([makeItem({ id: `item-${number}`, status: 'completed' })], {
    id: `batch-${number}`,
    name: `Batch ${number}`,
    status: number % 9 === 0 ? 'failed' : 'completed',
    timestamp: new Date(2026, 10, 22, 12).getTime() - number * 3_600_000,
  }),
);

let asked: URLSearchParams[] = [];

beforeEach(() => {
  asked = [];
  server.use(
    http.get('/api/video/batches', ({ request }) => {
      const query = new URL(request.url).searchParams;
      asked.push(query);
      const status = query.get('status');
      const found = all
        .filter((batch) => batch.name.includes(query.get('search') ?? ''))
        .filter((batch) => status === null || batch.status === status);
      const offset = Number(query.get('offset'));
      return HttpResponse.json({
        batches: found.slice(offset, offset + Number(query.get('limit'))),
        total: found.length,
      });
    }),
  );
});

const folders = () => screen.findByRole('navigation', { name: '批次文件夹' });

describe('the batches', () => {
  it('stand in folders by day and load on while one scrolls', async () => {
    vi.stubGlobal('IntersectionObserver', EagerObserver);
    openApp('/batches');
    const list = await folders();
    await waitFor(() => expect(within(list).getAllByRole('link')).toHaveLength(45));
    expect(within(list).getAllByRole('heading', { level: 3 })).toHaveLength(3);
    expect(asked.map((query) => query.get('offset'))).toEqual(['0', '30']);
  });

  it('are searched and filtered by the server, and the address keeps the filters', async () => {
    const { user } = openApp('/batches');
    await folders();
    await user.selectOptions(screen.getByRole('combobox', { name: '按状态筛选' }), '失败');
    await waitFor(async () => expect(within(await folders()).getAllByRole('link')).toHaveLength(5));
    await user.type(screen.getByRole('searchbox', { name: '搜索批次或文件名' }), 'Batch 36');
    await waitFor(async () => expect(within(await folders()).getAllByRole('link')).toHaveLength(1));
    expect(new URLSearchParams(window.location.search).get('status')).toBe('failed');
    expect(new URLSearchParams(window.location.search).get('search')).toBe('Batch 36');
  });

  it('are not searched for a space', async () => {
    openApp('/batches?search=%20');
    await folders();
    for (const query of asked) expect(query.get('search')).toBeNull();
  });

  it('say so when nothing matches', async () => {
    openApp('/batches?search=nothing-like-it');
    expect((await screen.findAllByText('没有符合条件的批次')).length).toBeGreaterThan(0);
  });

  it('say why they cannot be shown, and try again when asked', async () => {
    let refused = true;
    server.use(
      http.get('/api/video/batches', () =>
        refused
          ? problem(403, 'permission_denied')
          : HttpResponse.json({ batches: all.slice(0, 30), total: 30 }),
      ),
    );
    const { user } = openApp('/batches');
    const [again] = await screen.findAllByRole('button', { name: '重试' });
    expect(screen.getAllByText('没有权限做这件事。').length).toBeGreaterThan(0);
    refused = false;
    if (again) await user.click(again);
    expect(within(await folders()).getAllByRole('link')).toHaveLength(30);
  });
});
