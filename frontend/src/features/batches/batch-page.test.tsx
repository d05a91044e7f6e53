import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { describe, expect, it, vi } from 'vitest';

import type { Batch } from '@/shared/api/types';
import { makeBatch, makeItem, progressOf } from '@/testing/data';
import { openApp } from '@/testing/render';
import { problem, server } from '@/testing/server';

function serve(batch: () => Batch) {
  server.use(http.get('/api/video/batches/batch-1', () => HttpResponse.json(batch())));
}

const mixed = () => [
  makeItem({ id: 'a', status: 'completed', duration: 7 }),
  makeItem({ id: 'b', status: 'processing', progress: 40 }),
  makeItem({ id: 'c', status: 'failed', error_code: 'no_face', error_msg: 'No face.' }),
  makeItem({ id: 'd', status: 'pending' }),
];

describe('choosing videos', () => {
  const four = () =>
    ['a', 'b', 'c', 'd'].map((id) =>
      makeItem({ id, status: id === 'c' ? 'failed' : 'completed', error_code: 'no_face' }),
    );

  it('downloads what was ticked by keyboard, a range at once', async () => {
    const asked: (string | null)[] = [];
    const saved: string[] = [];
    serve(() => makeBatch(four()));
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
    serve(() => makeBatch(mixed()));
    openApp('/batches/batch-1');
    await screen.findByRole('button', { name: '播放 a.jpg' });
    expect(screen.queryByRole('button', { name: '选择视频' })).not.toBeInTheDocument();
  });
});

describe('deleting one video', () => {
  it('asks first, and shows the batch without it', async () => {
    let items = mixed();
    serve(() => makeBatch(items));
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
    serve(() => makeBatch(mixed()));
    const { unmount } = openApp('/batches/batch-1');
    expect(await screen.findByRole('button', { name: '删除 c.jpg' })).toBeVisible();
    expect(screen.queryByRole('button', { name: '删除 b.jpg' })).not.toBeInTheDocument();
    unmount();
    serve(() => makeBatch([makeItem({ id: 'a', status: 'completed' })]));
    openApp('/batches/batch-1');
    await screen.findByRole('button', { name: '播放 a.jpg' });
    expect(screen.queryByRole('button', { name: '删除 a.jpg' })).not.toBeInTheDocument();
  });

  it('says why when the server refuses', async () => {
    serve(() => makeBatch(mixed()));
    server.use(http.delete('/api/video/batches/batch-1/items/a', () => problem(409, 'last_video')));
    const { user } = openApp('/batches/batch-1');
    await user.click(await screen.findByRole('button', { name: '删除 a.jpg' }));
    await user.click(await screen.findByRole('button', { name: '删除视频' }));
    expect(await screen.findByText('(last_video)')).toBeVisible();
  });
});

describe('a batch in the works', () => {
  it('tells each item’s state, progress and reason', async () => {
    serve(() => makeBatch(mixed()));
    openApp('/batches/batch-1');
    const rendering = await screen.findByRole('article', { name: 'b.jpg' });
    expect(within(rendering).getByText('40%')).toBeVisible();
    expect(within(rendering).getByRole('progressbar')).toHaveAttribute('aria-valuenow', '40');
    const failed = screen.getByRole('article', { name: 'c.jpg' });
    expect(within(failed).getByText('没有找到人脸，请换一张正脸照片。')).toBeVisible();
    expect(screen.getByText('1 个已完成 · 1 个生成中 · 1 个排队')).toBeVisible();
  });

  it('tells waiting from rendering while it stands in the queue', async () => {
    const items = [makeItem({ id: 'a' }), makeItem({ id: 'b' })];
    serve(() =>
      makeBatch(items, {
        status: 'pending',
        progress: progressOf(items, {
          queue_position: 3,
          eta_seconds: 150,
          eta_waiting_seconds: 110,
          eta_rendering_seconds: 40,
        }),
      }),
    );
    openApp('/batches/batch-1');
    expect(await screen.findByText('排在第 3 位，预计先排队 2 分钟，再生成 40 秒')).toBeVisible();
  });

  it('retries a failed item and shows it in the queue', async () => {
    let retried = false;
    serve(() =>
      makeBatch([
        makeItem({
          id: 'c',
          status: retried ? 'pending' : 'failed',
          error_code: 'engine_error',
          retry_helps: !retried,
        }),
      ]),
    );
    server.use(
      http.post('/api/video/batches/batch-1/items/c/resume', () => {
        retried = true;
        return HttpResponse.json({ success: true });
      }),
    );
    const { user } = openApp('/batches/batch-1');
    await user.click(await screen.findByRole('button', { name: '重试 c.jpg' }));
    expect(await screen.findByRole('button', { name: '取消 c.jpg' })).toBeVisible();
  });

  it('says why an action was refused', async () => {
    serve(() =>
      makeBatch([
        makeItem({ id: 'c', status: 'failed', error_code: 'engine_error', retry_helps: true }),
      ]),
    );
    server.use(
      http.post('/api/video/batches/batch-1/items/c/resume', () =>
        problem(402, 'insufficient_credits', { required: 1, available: 0 }),
      ),
    );
    const { user } = openApp('/batches/batch-1');
    await user.click(await screen.findByRole('button', { name: '重试 c.jpg' }));
    expect(await screen.findByText('积分不足：需要 1，现有 0。')).toBeVisible();
  });

  it('offers a retry where it may help, and one for all that was cancelled', async () => {
    serve(() =>
      makeBatch([
        makeItem({ id: 'a', status: 'failed', error_code: 'engine_error', retry_helps: true }),
        makeItem({ id: 'b', status: 'failed', error_code: 'no_face' }),
        makeItem({ id: 'c', status: 'cancelled', retry_helps: true }),
        makeItem({ id: 'd', status: 'cancelled', retry_helps: true }),
      ]),
    );
    openApp('/batches/batch-1');
    expect(await screen.findByRole('button', { name: '重试失败或取消的 3 个' })).toBeVisible();
    const retries = screen.getAllByRole('button', { name: /^重试 / });
    expect(retries.map((button) => button.getAttribute('aria-label'))).toEqual(['重试 a.jpg']);
    expect(screen.getByRole('button', { name: '换图片 b.jpg' })).toHaveTextContent('换图片');
    expect(screen.queryByRole('button', { name: '换图片 c.jpg' })).not.toBeInTheDocument();
  });

  it('replaces the image of a failed item', async () => {
    let sent: unknown = null;
    serve(() => makeBatch([makeItem({ id: 'c', status: 'failed', error_code: 'no_face' })]));
    server.use(
      http.post('/api/video/batches/batch-1/items/c/replace', async ({ request }) => {
        sent = await request.json();
        return HttpResponse.json({ success: true });
      }),
    );
    const { user } = openApp('/batches/batch-1');
    const card = await screen.findByRole('article', { name: 'c.jpg' });
    const input = card.querySelector('input[type=file]');
    expect(input).not.toBeNull();
    await user.upload(
      input as HTMLInputElement,
      new File(['a better picture'], 'better.png', { type: 'image/png' }),
    );
    await waitFor(() => expect(sent).toEqual({ image: 'key-1' }));
  });

  it('says at its card why another image cannot be used', async () => {
    serve(() => makeBatch([makeItem({ id: 'c', status: 'failed', error_code: 'no_face' })]));
    server.use(
      http.post('/api/video/batches/batch-1/items/c/replace', () =>
        problem(400, 'invalid_batch', {
          errors: {
            images: [
              {
                index: 0,
                name: 'x.jpg',
                code: 'face_too_narrow',
                detail: '人脸宽度只有 62 像素，至少需要 64 像素。',
              },
            ],
          },
        }),
      ),
    );
    const { user } = openApp('/batches/batch-1');
    const card = await screen.findByRole('article', { name: 'c.jpg' });
    await user.upload(
      card.querySelector<HTMLInputElement>('input[type=file]')!,
      new File(['a picture'], 'x.jpg', { type: 'image/jpeg' }),
    );
    expect(await within(card).findByRole('alert')).toHaveTextContent('62 像素，至少需要 64');
  });

  it('cancels what is left only after asking', async () => {
    let cancelled = 0;
    serve(() => makeBatch(mixed()));
    server.use(
      http.post('/api/video/batches/batch-1/cancel', () => {
        cancelled += 1;
        return HttpResponse.json({ success: true, count: 2 });
      }),
    );
    const { user } = openApp('/batches/batch-1');
    await user.click(await screen.findByRole('button', { name: '全部取消' }));
    const dialog = await screen.findByRole('alertdialog');
    expect(dialog).toHaveTextContent('还有 2 个视频没有完成');
    expect(cancelled).toBe(0);
    await user.click(within(dialog).getByRole('button', { name: '全部取消' }));
    await waitFor(() => expect(cancelled).toBe(1));
  });
});

describe('a finished batch', () => {
  const done = () =>
    makeBatch(
      ['a', 'b', 'c'].map((id) => makeItem({ id, status: 'completed', duration: 7 })),
      { status: 'completed' },
    );

  it('plays one result after the other, beside its source', async () => {
    serve(done);
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
    serve(done);
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
    serve(done);
    const { user } = openApp('/batches/batch-1/videos/b');
    await screen.findByRole('dialog', { name: 'b.jpg' });
    await user.keyboard('{Escape}');
    await waitFor(() => expect(window.location.pathname).toBe('/batches/batch-1'));
  });

  it('says what the engine understood of the prompt', async () => {
    const note = '已从提示词识别：微笑 smile。';
    serve(() =>
      makeBatch([makeItem({ id: 'a', status: 'completed', duration: 7, notes: [note] })]),
    );
    const { user } = openApp('/batches/batch-1');
    await user.click(await screen.findByRole('button', { name: '播放 a.jpg' }));
    const player = await screen.findByRole('dialog', { name: 'a.jpg' });
    expect(within(player).getByText(note)).toBeVisible();
  });

  it('is renamed', async () => {
    let name = '批次 2026-11-22';
    serve(() => ({ ...done(), name }));
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
    serve(done);
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
});

describe('the engine of a batch', () => {
  it('is named, and why nothing goes on is told while something waits', async () => {
    const why = '引擎 Cloud 现在不能工作，视频会等到它恢复。';
    let items = [makeItem({ status: 'pending' })];
    serve(() => makeBatch(items, { engine: 'cloud', engine_label: 'Cloud', waiting_reason: why }));
    openApp('/batches/batch-1');
    const heading = await screen.findByRole('heading', { level: 1 });
    expect(heading.closest('header')).toHaveTextContent('引擎: Cloud');
    expect(screen.getByText(why)).toBeVisible();
    items = [makeItem({ status: 'completed' })];
    await waitFor(() => expect(screen.queryByText(why)).not.toBeInTheDocument());
  });

  it('says where a video stands at its server, and when it will be there', async () => {
    serve(() =>
      makeBatch([
        makeItem({ id: 'a', status: 'processing', server_position: 3, server_eta_s: 240 }),
        makeItem({ id: 'b', status: 'processing', progress: 40, server_eta_s: 50 }),
        makeItem({ id: 'c', status: 'processing', progress: 7 }),
      ]),
    );
    openApp('/batches/batch-1');
    const card = async (name: string) =>
      (await screen.findByRole('article', { name })).querySelector('[class*=rendering]');
    expect(await card('a.jpg')).toHaveTextContent('在服务器上排第 3 位约 4 分钟');
    expect(await card('b.jpg')).toHaveTextContent('40%约 50 秒');
    expect((await card('c.jpg'))?.textContent).toBe('7%');
  });
});
