import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';

import { makeBatch, makeItem, mixedItems, progressOf } from '@/testing/data';
import { openApp } from '@/testing/render';
import { problem, serveBatch, server } from '@/testing/server';

describe('a batch in the works', () => {
  it('tells each item’s state, progress and reason', async () => {
    serveBatch(() => makeBatch(mixedItems()));
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
    serveBatch(() =>
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
    serveBatch(() =>
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
    serveBatch(() =>
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
    serveBatch(() =>
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
    serveBatch(() => makeBatch([makeItem({ id: 'c', status: 'failed', error_code: 'no_face' })]));
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
    serveBatch(() => makeBatch([makeItem({ id: 'c', status: 'failed', error_code: 'no_face' })]));
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
    serveBatch(() => makeBatch(mixedItems()));
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

describe('the engine of a batch', () => {
  it('is named, and why nothing goes on is told while something waits', async () => {
    const why = '引擎 Cloud 现在不能工作，视频会等到它恢复。';
    let items = [makeItem({ status: 'pending' })];
    serveBatch(() =>
      makeBatch(items, { engine: 'cloud', engine_label: 'Cloud', waiting_reason: why }),
    );
    openApp('/batches/batch-1');
    const heading = await screen.findByRole('heading', { level: 1 });
    expect(heading.closest('header')).toHaveTextContent('引擎: Cloud');
    expect(screen.getByText(why)).toBeVisible();
    items = [makeItem({ status: 'completed' })];
    await waitFor(() => expect(screen.queryByText(why)).not.toBeInTheDocument());
  });

  it('says where a video stands at its server, and when it will be there', async () => {
    serveBatch(() =>
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
