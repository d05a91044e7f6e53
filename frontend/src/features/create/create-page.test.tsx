import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it } from 'vitest';

import { stubAudio } from '@/testing/audio';
import { makeBatch, makeDryRun, makeItem, makeStatus, makeUser } from '@/testing/data';
import { openApp } from '@/testing/render';
import { problem, server, uploads } from '@/testing/server';

import { draftStore } from './draft';

const picture = (name: string) => new File(['picture'], name, { type: 'image/png' });
const speech = () => new File(['speech'], 'speech.wav', { type: 'audio/wav' });

beforeEach(() => {
  draftStore.clear();
  stubAudio();
});

async function openFilled(names: string[]) {
  const { user } = openApp('/new');
  await screen.findByRole('heading', { level: 1, name: '新建批次' });
  await user.upload(screen.getByTestId('image-input'), names.map(picture));
  await user.upload(screen.getByTestId('audio-input'), speech());
  await screen.findByText('speech.wav');
  return user;
}

/** As an earlier page left it. */
const keptDraft = () => ({
  images: [{ key: 'x', file: picture('a.png') }],
  audio: { key: 'y', file: speech() },
  prompt: '',
  name: '',
  engine: '',
  key: 'kept',
});

const submitButton = () => screen.getByRole('button', { name: /^生成 \d+ 个视频$/ });

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

  it('can be sent again with the same key after the connection broke', async () => {
    const keys: (string | null)[] = [];
    server.use(
      http.post('/api/video/batch', ({ request }) => {
        keys.push(request.headers.get('Idempotency-Key'));
        return keys.length === 1
          ? HttpResponse.error()
          : HttpResponse.json({ batch_id: 'batch-1' }, { status: 201 });
      }),
      http.get('/api/video/batches/batch-1', () => HttpResponse.json(makeBatch([makeItem()]))),
    );
    const user = await openFilled(['a.png']);
    await user.click(submitButton());
    expect(await screen.findByText('连接中断')).toBeVisible();
    await user.click(screen.getByRole('button', { name: '继续提交' }));
    await screen.findByRole('heading', { level: 1, name: '批次 2026-11-22' });
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
  });

  it('can be sent again whatever the balance, as long as no answer says that it was not made', async () => {
    let credits = 1;
    let answer = () => {
      // Accepted and paid, and the answer is lost.
      credits = 0;
      return HttpResponse.error();
    };
    server.use(
      http.get('/api/user/profile', () => HttpResponse.json(makeUser({ credits }))),
      http.post('/api/video/batch', () => answer()),
    );
    const user = await openFilled(['a.png']);
    await user.click(submitButton());
    const again = await screen.findByRole('button', { name: '继续提交' });
    // The balance is asked for at once.
    await waitFor(() => expect(screen.getByTestId('balance')).toHaveTextContent('0'));
    expect(again).toBeEnabled();
    expect(screen.queryByText(/需要 1 积分/)).not.toBeInTheDocument();

    answer = () => problem(402, 'insufficient_credits', { required: 1, available: 0 });
    await user.click(again);
    expect(await screen.findByText('没有提交，也没有扣积分')).toBeVisible();
    expect(screen.queryByText('连接中断')).not.toBeInTheDocument();
    expect(screen.getByText('还差 1 积分。')).toBeVisible();
    expect(submitButton()).toBeDisabled();
  });

  it.each([
    ['502 of a proxy', () => new HttpResponse('<h1>Bad Gateway</h1>', { status: 502 })],
    ['504 of a proxy', () => new HttpResponse('<h1>Timeout</h1>', { status: 504 })],
    ['page instead of an answer', () => HttpResponse.html('<h1>Welcome</h1>')],
    [
      'server where it is still being made',
      () =>
        HttpResponse.json(
          { code: 'idempotency_in_flight' },
          { status: 409, headers: { 'Retry-After': '0' } },
        ),
    ],
  ])('is not called unsubmitted after a %s', async (_what, answer) => {
    server.use(http.post('/api/video/batch', answer));
    const user = await openFilled(['a.png']);
    await user.click(submitButton());
    expect(await screen.findByText('连接中断')).toBeVisible();
    expect(screen.getByRole('button', { name: '继续提交' })).toBeEnabled();
    expect(screen.queryByText('没有提交，也没有扣积分')).not.toBeInTheDocument();
  });

  it('is called unsubmitted where too many were sent, or only a check found the server away', async () => {
    let answer = () => problem(502, 'x');
    server.use(http.post('/api/video/batch', () => answer()));
    const user = await openFilled(['a.png']);
    await user.click(screen.getByRole('button', { name: '先检查文件，不扣积分' }));
    expect(await screen.findByText('没有提交，也没有扣积分')).toBeVisible();
    answer = () =>
      HttpResponse.json({ code: 'throttled' }, { status: 429, headers: { 'Retry-After': '30' } });
    await user.click(submitButton());
    expect(await screen.findByText(/30 秒/)).toBeVisible();
    expect(screen.getByText('没有提交，也没有扣积分')).toBeVisible();
    expect(screen.queryByText('连接中断')).not.toBeInTheDocument();
  });

  it('stays unheard when it is turned away before anybody looks at it', async () => {
    server.use(
      http.post('/api/video/batch', () =>
        HttpResponse.json({ code: 'throttled' }, { status: 429, headers: { 'Retry-After': '30' } }),
      ),
    );
    const names = ['key-8', 'key-9'];
    await draftStore.restore({ ...keptDraft(), unheard: { key: 'kept', names } });
    const { user } = openApp('/new');
    await user.click(await screen.findByRole('button', { name: '继续提交' }));
    expect(await screen.findByText(/30 秒/)).toBeVisible();
    expect(screen.getByText('连接中断')).toBeVisible();
    expect(screen.getByRole('button', { name: '继续提交' })).toBeEnabled();
    expect(screen.queryByText('没有提交，也没有扣积分')).not.toBeInTheDocument();
  });

  it('is the same request on a later page, by the names that its files had', async () => {
    const sent: unknown[] = [];
    server.use(
      http.get('/api/user/profile', () => HttpResponse.json(makeUser({ credits: 0 }))),
      http.get('/api/engine/status', () =>
        HttpResponse.json(makeStatus({ limits: { price_varies: true } })),
      ),
      http.post('/api/video/batch', async ({ request }) => {
        sent.push(request.headers.get('Idempotency-Key'), await request.json());
        return HttpResponse.json({ batch_id: 'batch-1' }, { status: 201 });
      }),
      http.get('/api/video/batches/batch-1', () => HttpResponse.json(makeBatch([makeItem()]))),
    );
    const names = ['key-8', 'key-9'];
    await draftStore.restore({ ...keptDraft(), unheard: { key: 'kept', names } });
    const { user } = openApp('/new');
    await user.click(await screen.findByRole('button', { name: '继续提交' }));
    await screen.findByRole('heading', { level: 1, name: '批次 2026-11-22' });
    expect(sent).toEqual(['kept', { images: ['key-8'], audio: 'key-9' }]);
    expect(uploads.announced).toHaveLength(0);
  });

  it('is sent anew on a later page when the server has neither it nor its files', async () => {
    const sent: unknown[] = [];
    server.use(
      http.post('/api/video/batch', async ({ request }) => {
        sent.push(await request.json());
        const errors = {
          images: [{ index: 0, code: 'upload_unknown', detail: 'x' }],
          audio: { code: 'upload_unknown', detail: 'x' },
        };
        return sent.length === 1
          ? problem(400, 'invalid_batch', { errors })
          : HttpResponse.json({ batch_id: 'batch-1' }, { status: 201 });
      }),
      http.get('/api/video/batches/batch-1', () => HttpResponse.json(makeBatch([makeItem()]))),
    );
    const names = ['key-8', 'key-9'];
    await draftStore.restore({ ...keptDraft(), unheard: { key: 'kept', names } });
    const { user } = openApp('/new');
    await user.click(await screen.findByRole('button', { name: '继续提交' }));
    await screen.findByRole('heading', { level: 1, name: '批次 2026-11-22' });
    expect(sent[1]).toEqual({ images: ['key-1'], audio: 'key-2' });
  });

  it('is a form again on a later page if it was one', async () => {
    let form: FormData | null = null;
    server.use(
      http.post('/api/video/batch', async ({ request }) => {
        form = await request.formData();
        return HttpResponse.json({ batch_id: 'batch-1' }, { status: 201 });
      }),
      http.get('/api/video/batches/batch-1', () => HttpResponse.json(makeBatch([makeItem()]))),
    );
    await draftStore.restore({ ...keptDraft(), unheard: { key: 'kept', names: null } });
    const { user } = openApp('/new');
    await user.click(await screen.findByRole('button', { name: '继续提交' }));
    await screen.findByRole('heading', { level: 1, name: '批次 2026-11-22' });
    expect((form as FormData | null)?.getAll('images')).toHaveLength(1);
    expect(uploads.announced).toHaveLength(0);
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
