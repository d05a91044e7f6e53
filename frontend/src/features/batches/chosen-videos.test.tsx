import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { describe, expect, it, vi } from 'vitest';

import { makeBatch, makeItem, mixedItems } from '@/testing/data';
import { openApp } from '@/testing/render';
import { problem, serveBatch, server } from '@/testing/server';

describe('choosing videos', () => {
  const four = () =>
    ['a', 'b', 'c', 'd'].map((id) =>
      makeItem({ id, status: id === 'c' ? 'failed' : 'completed', error_code: 'no_face' }),
    );

  it('downloads what was ticked by keyboard, a range at once', async () => {
    const asked: (string | null)[] = [];
    const saved: string[] = [];
    serveBatch(() => makeBatch(four()));
    server.use(
      http.get('/api/video/batches/batch-1/export', ({ request }) => {
        asked.push(new URL(request.url).searchParams.get('items'));
        return HttpResponse.json({
          files: [{ id: 'a' }, { id: 'b' }],
          total: 2,
          zip_url: 'http://localhost/zip',
        });
      }),
    );
    const click = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
      this: HTMLAnchorElement,
    ) {
      saved.push(this.href);
    });
    const { user } = openApp('/batches/batch-1');
    await user.click(await screen.findByRole('button', { name: '选择视频' }));
    expect(screen.getByRole('button', { name: '下载' })).toBeDisabled();
    screen.getByRole('checkbox', { name: '选择 a.jpg' }).focus();
    await user.keyboard(' ');
    screen.getByRole('checkbox', { name: '选择 d.jpg' }).focus();
    await user.keyboard('{Shift>}{Enter}{/Shift}');
    expect(screen.getByText('已选 3 个')).toBeVisible();
    await user.click(screen.getByRole('checkbox', { name: '选择 d.jpg' }));
    expect(screen.getByRole('checkbox', { name: '选择 b.jpg' })).toBeChecked();
    await user.click(screen.getByRole('button', { name: '下载' }));
    await waitFor(() => expect(saved).toEqual(['http://localhost/zip']));
    expect(asked).toEqual(['a,b']);
    await user.keyboard('{Control>}a{/Control}');
    expect(screen.getByText('已选 3 个')).toBeVisible();
    await user.keyboard('{Escape}');
    expect(screen.queryByRole('checkbox')).not.toBeInTheDocument();
    expect(screen.getByRole('button', { name: '播放 a.jpg' })).toBeVisible();
    click.mockRestore();
  });

  it('is not offered where there is nothing to choose', async () => {
    serveBatch(() => makeBatch(mixedItems()));
    openApp('/batches/batch-1');
    await screen.findByRole('button', { name: '播放 a.jpg' });
    expect(screen.queryByRole('button', { name: '选择视频' })).not.toBeInTheDocument();
  });
});

describe('deleting one video', () => {
  it('asks first, and shows the batch without it', async () => {
    let items = mixedItems();
    serveBatch(() => makeBatch(items));
    server.use(
      http.delete('/api/video/batches/batch-1/items/a', () => {
        items = items.slice(1);
        return HttpResponse.json({ success: true });
      }),
    );
    const { user } = openApp('/batches/batch-1');
    await user.click(await screen.findByRole('button', { name: '删除 a.jpg' }));
    const dialog = await screen.findByRole('alertdialog');
    expect(dialog).toHaveTextContent('积分不退还');
    await user.click(within(dialog).getByRole('button', { name: '删除视频' }));
    await waitFor(() =>
      expect(screen.queryByRole('article', { name: 'a.jpg' })).not.toBeInTheDocument(),
    );
    expect(screen.getByRole('article', { name: 'c.jpg' })).toBeVisible();
    expect(screen.queryByRole('alertdialog')).not.toBeInTheDocument();
  });

  it('is not offered for what moves, nor for a batch’s only video', async () => {
    serveBatch(() => makeBatch(mixedItems()));
    const { unmount } = openApp('/batches/batch-1');
    expect(await screen.findByRole('button', { name: '删除 c.jpg' })).toBeVisible();
    expect(screen.queryByRole('button', { name: '删除 b.jpg' })).not.toBeInTheDocument();
    unmount();
    serveBatch(() => makeBatch([makeItem({ id: 'a', status: 'completed' })]));
    openApp('/batches/batch-1');
    await screen.findByRole('button', { name: '播放 a.jpg' });
    expect(screen.queryByRole('button', { name: '删除 a.jpg' })).not.toBeInTheDocument();
  });

  it('says why when the server refuses', async () => {
    serveBatch(() => makeBatch(mixedItems()));
    server.use(http.delete('/api/video/batches/batch-1/items/a', () => problem(409, 'last_video')));
    const { user } = openApp('/batches/batch-1');
    await user.click(await screen.findByRole('button', { name: '删除 a.jpg' }));
    await user.click(await screen.findByRole('button', { name: '删除视频' }));
    expect(await screen.findByText('(last_video)')).toBeVisible();
  });
});
