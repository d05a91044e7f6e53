import { screen, waitFor } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it } from 'vitest';

import { stubAudio } from '@/testing/audio';
import { makeBatch, makeItem, makeStatus, makeUser } from '@/testing/data';
import { keptDraft, openFilled, submitButton } from '@/testing/form';
import { openApp } from '@/testing/render';
import { problem, server, uploads } from '@/testing/server';

import { draftStore } from './draft';

beforeEach(() => {
  draftStore.clear();
  stubAudio();
});

describe('a submission whose answer was not heard', () => {
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
});
