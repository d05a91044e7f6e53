import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it } from 'vitest';

import { stubAudio } from '@/testing/audio';
import { makeBatch, makeDryRun, makeItem, makeStatus, makeUser } from '@/testing/data';
import { openFilled, picture, submitButton } from '@/testing/form';
import { openApp } from '@/testing/render';
import { problem, server, uploads } from '@/testing/server';

import { draftStore } from './draft';

beforeEach(() => {
  draftStore.clear();
  stubAudio();
});

function tile(name: string): HTMLElement {
  const item = screen.getByText(name).closest('li');
  if (!item) throw new Error(`no tile ${name}`);
  return item;
}

describe('a new batch', () => {
  it('says what is missing before it can be submitted', async () => {
    const { user } = openApp('/new');
    expect(await screen.findByText('先添加至少一张人像。')).toBeVisible();
    expect(submitButton()).toBeDisabled();
    await user.upload(screen.getByTestId('image-input'), picture('a.png'));
    expect(await screen.findByText('还差一段录音。')).toBeVisible();
  });

  it('shows the price against the balance and is blocked when credits do not suffice', async () => {
    server.use(http.get('/api/user/profile', () => HttpResponse.json(makeUser({ credits: 1 }))));
    await openFilled(['a.png', 'b.png', 'c.png']);
    expect(await screen.findByText('3 积分')).toBeVisible();
    expect(await screen.findByText(/需要 3 积分，现有 1/)).toBeVisible();
    expect(screen.getByText('还差 2 积分。')).toBeVisible();
    expect(submitButton()).toBeDisabled();
  });

  it('is priced by the length of its recording where the server says so', async () => {
    server.use(
      http.get('/api/user/profile', () => HttpResponse.json(makeUser({ credits: 20 }))),
      http.get('/api/engine/status', () =>
        HttpResponse.json(makeStatus({ limits: { credits_per_started_s: 2 } })),
      ),
    );
    await openFilled(['a.png', 'b.png', 'c.png']);
    expect(await screen.findByText('6 积分')).toBeVisible();
    expect(screen.getByText('3 × 2')).toBeVisible();
    expect(screen.getByRole('button', { name: '生成 3 个视频' })).toBeEnabled();
  });

  it('tells no price that the server did not tell, and cannot be submitted before a check told it', async () => {
    server.use(
      http.get('/api/engine/status', () => problem(403, 'permission_denied')),
      http.post('/api/video/batch', () =>
        HttpResponse.json(makeDryRun({ price_per_image: 3, price: 3 })),
      ),
    );
    const user = await openFilled(['a.png']);
    expect(submitButton()).toBeDisabled();
    expect(submitButton()).toHaveAccessibleDescription(/还不知道价格/);
    expect(screen.queryByText('1 积分')).not.toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: '先检查文件，不扣积分' }));
    expect(await screen.findByText('3 积分')).toBeVisible();
    expect(submitButton()).toBeEnabled();
  });

  it('is sent once even on a double click, and leads to the batch', async () => {
    const keys: (string | null)[] = [];
    server.use(
      http.post('/api/video/batch', async ({ request }) => {
        keys.push(request.headers.get('Idempotency-Key'));
        expect(await request.json()).toEqual({ images: ['key-1', 'key-2'], audio: 'key-3' });
        return HttpResponse.json({ batch_id: 'batch-1' }, { status: 201 });
      }),
      http.get('/api/video/batches/batch-1', () => HttpResponse.json(makeBatch([makeItem()]))),
    );
    const user = await openFilled(['a.png', 'b.png']);
    await user.dblClick(submitButton());
    expect(await screen.findByRole('heading', { level: 1, name: '批次 2026-11-22' })).toBeVisible();
    expect(keys).toHaveLength(1);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(draftStore.get().images).toHaveLength(0);
  });

  it('marks every bad file in its place, and nothing is lost', async () => {
    server.use(
      http.post('/api/video/batch', () =>
        problem(422, 'invalid_batch', {
          errors: {
            images: [
              { index: 0, name: 'a.png', code: 'image_truncated', detail: 'x' },
              { index: 2, name: 'c.png', code: 'brand_new', detail: 'Told by the server.' },
            ],
            audio: { name: 'speech.wav', code: 'audio_silent', detail: 'x' },
          },
        }),
      ),
    );
    const user = await openFilled(['a.png', 'b.png', 'c.png']);
    await user.click(submitButton());
    expect(await within(tile('a.png')).findByRole('alert')).toHaveTextContent('图片不完整');
    expect(within(tile('b.png')).queryByRole('alert')).not.toBeInTheDocument();
    expect(within(tile('c.png')).getByRole('alert')).toHaveTextContent('Told by the server.');
    expect(screen.getByText('录音里没有声音，请重新录制。')).toBeVisible();
    expect(submitButton()).toBeDisabled();

    await user.click(screen.getByRole('button', { name: '移除这些图片' }));
    expect(screen.queryByText('a.png')).not.toBeInTheDocument();
    expect(screen.getByText('b.png')).toBeVisible();
  });

  it('goes on with what is missing after the connection broke in a file', async () => {
    let broken = true;
    uploads.partSize = 3;
    uploads.beforePart = (part) =>
      broken && part === 'b.png/2' ? new HttpResponse(null, { status: 400 }) : undefined;
    server.use(
      http.post('/api/video/batch', () =>
        HttpResponse.json({ batch_id: 'batch-1' }, { status: 201 }),
      ),
      http.get('/api/video/batches/batch-1', () => HttpResponse.json(makeBatch([makeItem()]))),
    );
    const user = await openFilled(['a.png', 'b.png']);
    await user.click(submitButton());
    expect(await screen.findByRole('button', { name: '生成 2 个视频' })).toBeEnabled();
    broken = false;
    await user.click(submitButton());
    await screen.findByRole('heading', { level: 1, name: '批次 2026-11-22' });
    expect(uploads.announced).toHaveLength(1);
    expect(uploads.puts.length).toBe(new Set(uploads.puts).size);
    expect(uploads.puts).toHaveLength(8);
  });

  it('sends once what was checked before', async () => {
    const bodies: unknown[] = [];
    server.use(
      http.post('/api/video/batch', async ({ request }) => {
        bodies.push(await request.json());
        return bodies.length === 1
          ? HttpResponse.json(makeDryRun())
          : HttpResponse.json({ batch_id: 'batch-1' }, { status: 201 });
      }),
      http.get('/api/video/batches/batch-1', () => HttpResponse.json(makeBatch([makeItem()]))),
    );
    const user = await openFilled(['a.png']);
    await user.click(screen.getByRole('button', { name: '先检查文件，不扣积分' }));
    await screen.findByText('全部文件检查通过，可以生成。');
    await user.click(submitButton());
    await screen.findByRole('heading', { level: 1, name: '批次 2026-11-22' });
    expect(bodies[1]).toEqual(bodies[0]);
    expect(uploads.puts).toEqual(['a.png/1', 'speech.wav/1']);
  });

  it('sends again what the server no longer has', async () => {
    const keys: string[][] = [];
    server.use(
      http.post('/api/video/batch', async ({ request }) => {
        const body = (await request.json()) as { images: string[] };
        keys.push(body.images);
        return keys.length === 1
          ? problem(400, 'invalid_batch', {
              errors: { images: [{ index: 1, code: 'upload_unknown', detail: 'x' }] },
            })
          : HttpResponse.json({ batch_id: 'batch-1' }, { status: 201 });
      }),
      http.get('/api/video/batches/batch-1', () => HttpResponse.json(makeBatch([makeItem()]))),
    );
    const user = await openFilled(['a.png', 'b.png']);
    await user.click(submitButton());
    await screen.findByRole('heading', { level: 1, name: '批次 2026-11-22' });
    expect(keys).toEqual([
      ['key-1', 'key-2'],
      ['key-1', 'key-4'],
    ]);
  });

  it('is sent as a form to a server without direct uploads', async () => {
    let form: FormData | null = null;
    server.use(
      http.post('/api/video/uploads', () => problem(404, 'not_found')),
      http.post('/api/video/batch', async ({ request }) => {
        form = await request.formData();
        return HttpResponse.json({ batch_id: 'batch-1' }, { status: 201 });
      }),
      http.get('/api/video/batches/batch-1', () => HttpResponse.json(makeBatch([makeItem()]))),
    );
    const user = await openFilled(['a.png', 'b.png']);
    await user.click(submitButton());
    await screen.findByRole('heading', { level: 1, name: '批次 2026-11-22' });
    expect((form as FormData | null)?.getAll('images')).toHaveLength(2);
  });

  it('marks the files that the server does not even let begin', async () => {
    server.use(
      http.post('/api/video/uploads', () =>
        problem(400, 'invalid_uploads', {
          errors: {
            files: [
              { index: 1, name: 'b.png', code: 'image_too_large', detail: 'x' },
              { index: 2, name: 'speech.wav', code: 'audio_too_large', detail: 'x' },
            ],
          },
        }),
      ),
    );
    const user = await openFilled(['a.png', 'b.png']);
    await user.click(submitButton());
    expect(await within(tile('b.png')).findByRole('alert')).toHaveTextContent('文件太大');
    expect(within(tile('a.png')).queryByRole('alert')).not.toBeInTheDocument();
    expect(screen.getByText('录音文件太大，请存为 MP3 再试。')).toBeVisible();
  });

  it('can be cancelled in mid-upload and sent again', async () => {
    let release = () => {};
    uploads.beforePart = (part) =>
      part === 'b.png/1'
        ? new Promise<undefined>((resolve) => {
            release = () => resolve(undefined);
          })
        : undefined;
    server.use(
      http.post('/api/video/batch', () =>
        HttpResponse.json({ batch_id: 'batch-1' }, { status: 201 }),
      ),
      http.get('/api/video/batches/batch-1', () => HttpResponse.json(makeBatch([makeItem()]))),
    );
    const user = await openFilled(['a.png', 'b.png']);
    await user.click(submitButton());
    await user.click(await screen.findByRole('button', { name: '取消上传' }));
    expect(await screen.findByRole('button', { name: '生成 2 个视频' })).toBeEnabled();
    release();
    uploads.beforePart = () => undefined;
    await user.click(submitButton());
    await screen.findByRole('heading', { level: 1, name: '批次 2026-11-22' });
  });

  it('can be checked first without being charged', async () => {
    let dryRuns = 0;
    server.use(
      http.post('/api/video/batch', ({ request }) => {
        dryRuns += new URL(request.url).searchParams.get('dry_run') === 'true' ? 1 : 0;
        return HttpResponse.json(makeDryRun());
      }),
    );
    const user = await openFilled(['a.png']);
    await user.click(screen.getByRole('button', { name: '先检查文件，不扣积分' }));
    expect(await screen.findByText('全部文件检查通过，可以生成。')).toBeVisible();
    expect(dryRuns).toBe(1);
  });

  it('is reordered and replaced by its menus', async () => {
    const user = await openFilled(['a.png', 'b.png']);
    await user.click(screen.getByRole('button', { name: 'b.png 的操作' }));
    await user.click(await screen.findByRole('menuitem', { name: '前移一位' }));
    await waitFor(() =>
      expect(draftStore.get().images.map(({ name }) => name)).toEqual(['b.png', 'a.png']),
    );
    await user.upload(within(tile('a.png')).getByLabelText('替换图片'), picture('z.png'));
    expect(await screen.findByText('z.png')).toBeVisible();
    expect(screen.queryByText('a.png')).not.toBeInTheDocument();
  });

  it('gets the name that it was given', async () => {
    let body: unknown;
    server.use(
      http.post('/api/video/batch', async ({ request }) => {
        body = await request.json();
        return HttpResponse.json({ batch_id: 'batch-1' }, { status: 201 });
      }),
      http.get('/api/video/batches/batch-1', () => HttpResponse.json(makeBatch([makeItem()]))),
    );
    const user = await openFilled(['a.png']);
    const before = draftStore.get().key;
    await user.type(screen.getByRole('textbox', { name: '批次名称' }), ' 春季上新 ');
    expect(draftStore.get().key).not.toBe(before);
    await user.click(submitButton());
    await screen.findByRole('heading', { level: 1, name: '批次 2026-11-22' });
    expect(body).toEqual({ images: ['key-1'], audio: 'key-2', name: '春季上新' });
    expect(draftStore.get().name).toBe('');
  });

  it('takes examples into the prompt', async () => {
    const { user } = openApp('/new');
    await user.click(await screen.findByRole('button', { name: '微笑' }));
    await user.click(screen.getByRole('button', { name: '轻轻点头' }));
    await user.click(screen.getByRole('button', { name: '微笑' }));
    expect(screen.getByRole('textbox', { name: '表情与动作' })).toHaveValue('微笑，轻轻点头');
  });
});
