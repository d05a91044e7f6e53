import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';

import { makeBatch, makeItem } from '@/testing/data';
import { openApp } from '@/testing/render';
import { problem, serveBatch, server } from '@/testing/server';

describe('a finished batch', () => {
  const done = () =>
    makeBatch(
      ['a', 'b', 'c'].map((id) => makeItem({ id, status: 'completed', duration: 7 })),
      { status: 'completed' },
    );

  it('plays one result after the other, beside its source', async () => {
    serveBatch(done);
    const { user } = openApp('/batches/batch-1');
    await user.click(await screen.findByRole('button', { name: '播放 a.jpg' }));
    const player = await screen.findByRole('dialog', { name: 'a.jpg' });
    expect(within(player).getByLabelText('a.jpg 的视频')).toHaveAttribute(
      'src',
      'http://localhost/media/a.mp4',
    );
    expect(within(player).getByRole('button', { name: '上一个' })).toBeDisabled();
    await user.keyboard('{ArrowRight}');
    expect(await screen.findByRole('dialog', { name: 'b.jpg' })).toBeVisible();
    await user.click(screen.getByRole('button', { name: '与原图对比' }));
    expect(screen.getByRole('img', { name: '原图' })).toHaveAttribute(
      'src',
      'http://localhost/media/b.jpg',
    );
    await user.click(screen.getByRole('button', { name: '下一个' }));
    expect(await screen.findByText('第 3 个，共 3 个')).toBeVisible();
    await user.keyboard('{Escape}');
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  });

  it('has an address: Back closes the player, and the focus returns to the card', async () => {
    serveBatch(done);
    const { user } = openApp('/batches/batch-1');
    const card = await screen.findByRole('button', { name: '播放 a.jpg' });
    await user.click(card);
    await screen.findByRole('dialog', { name: 'a.jpg' });
    expect(window.location.pathname).toBe('/batches/batch-1/videos/a');
    await user.keyboard('{ArrowRight}');
    await screen.findByRole('dialog', { name: 'b.jpg' });
    expect(window.location.pathname).toBe('/batches/batch-1/videos/b');
    window.history.back();
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
    expect(window.location.pathname).toBe('/batches/batch-1');
    await waitFor(() => expect(screen.getByRole('button', { name: '播放 b.jpg' })).toHaveFocus());
  });

  it('opens with the video that its address names', async () => {
    serveBatch(done);
    const { user } = openApp('/batches/batch-1/videos/b');
    await screen.findByRole('dialog', { name: 'b.jpg' });
    await user.keyboard('{Escape}');
    await waitFor(() => expect(window.location.pathname).toBe('/batches/batch-1'));
  });

  it('says what the engine understood of the prompt', async () => {
    const note = '已从提示词识别：微笑 smile。';
    serveBatch(() =>
      makeBatch([makeItem({ id: 'a', status: 'completed', duration: 7, notes: [note] })]),
    );
    const { user } = openApp('/batches/batch-1');
    await user.click(await screen.findByRole('button', { name: '播放 a.jpg' }));
    const player = await screen.findByRole('dialog', { name: 'a.jpg' });
    expect(within(player).getByText(note)).toBeVisible();
  });

  it('says which videos another engine made', async () => {
    serveBatch(() =>
      makeBatch(
        [
          makeItem({ id: 'a', status: 'completed', duration: 7, engine: 'portrait' }),
          makeItem({ id: 'b', status: 'completed', duration: 7, engine: 'lightx2v' }),
        ],
        { status: 'completed', engine: 'portrait' },
      ),
    );
    const { user } = openApp('/batches/batch-1');
    const [own, other] = await screen.findAllByRole('article');
    expect(within(own!).queryByText('portrait')).not.toBeInTheDocument();
    expect(within(other!).getByText('lightx2v')).toBeVisible();
    await user.click(screen.getByRole('button', { name: '播放 b.jpg' }));
    const player = await screen.findByRole('dialog', { name: 'b.jpg' });
    expect(within(player).getByText(/由 lightx2v 生成/)).toBeVisible();
    await user.keyboard('{ArrowLeft}');
    const before = await screen.findByRole('dialog', { name: 'a.jpg' });
    expect(within(before).queryByText(/生成$/)).not.toBeInTheDocument();
  });

  it('is renamed', async () => {
    let name = '批次 2026-11-22';
    serveBatch(() => ({ ...done(), name }));
    server.use(
      http.patch('/api/video/batches/batch-1', async ({ request }) => {
        name = ((await request.json()) as { name: string }).name;
        return HttpResponse.json({ ...done(), name });
      }),
    );
    const { user } = openApp('/batches/batch-1');
    await user.click(await screen.findByRole('button', { name: '更多操作' }));
    await user.click(await screen.findByRole('menuitem', { name: '重命名' }));
    const field = await screen.findByLabelText('批次名称');
    await user.clear(field);
    await user.type(field, '产品介绍');
    await user.click(screen.getByRole('button', { name: '保存' }));
    expect(await screen.findByRole('heading', { level: 1, name: '产品介绍' })).toBeVisible();
  });

  it('is deleted after asking, and the list is shown', async () => {
    serveBatch(done);
    server.use(
      http.delete('/api/video/batches/batch-1', () => HttpResponse.json({ success: true })),
    );
    const { user } = openApp('/batches/batch-1');
    await user.click(await screen.findByRole('button', { name: '更多操作' }));
    await user.click(await screen.findByRole('menuitem', { name: '删除批次' }));
    const dialog = await screen.findByRole('alertdialog');
    await user.click(within(dialog).getByRole('button', { name: '删除批次' }));
    expect(await screen.findByRole('heading', { level: 1, name: '全部批次' })).toBeVisible();
  });

  it('that is gone says so', async () => {
    server.use(http.get('/api/video/batches/batch-1', () => problem(404, 'not_found')));
    openApp('/batches/batch-1');
    expect(await screen.findByText('找不到这个批次')).toBeVisible();
  });

  it('that is deleted elsewhere while its page is open says so, rather than that the server is away', async () => {
    serveBatch(() => makeBatch([makeItem({ status: 'processing' })], { id: 'batch-1' }));
    openApp('/batches/batch-1');
    await screen.findByRole('heading', { level: 1 });
    server.use(http.get('/api/video/batches/batch-1', () => problem(404, 'not_found')));
    expect(await screen.findByText('找不到这个批次')).toBeVisible();
  });
});
