import { act, screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { clearTokens } from '@/shared/api/tokens';
import { stubAudio } from '@/testing/audio';
import { makeBatch, makeItem } from '@/testing/data';
import { picture, speech } from '@/testing/form';
import { openApp } from '@/testing/render';
import { problem, server, uploads } from '@/testing/server';

import { draftStore } from './draft';
import { submissions } from './submission';

const NO_FACE = { errors: { images: [{ index: 0, code: 'no_face', detail: 'x' }] } };

let release: () => void;
let submitted: number;
let answer: () => Response;

beforeEach(() => {
  draftStore.clear();
  stubAudio();
  submitted = 0;
  answer = () => HttpResponse.json({ batch_id: 'batch-1' }, { status: 201 });
  const gate = new Promise<undefined>((resolve) => {
    release = () => resolve(undefined);
  });
  uploads.beforePart = () => gate;
  server.use(
    http.get('/api/user/credits', () => HttpResponse.json({ entries: [], total: 0 })),
    http.post('/api/video/batch', () => {
      submitted += 1;
      return answer();
    }),
    http.get('/api/video/batches/batch-1', () => HttpResponse.json(makeBatch([makeItem()]))),
  );
});

// A test that failed leaves no upload to the next one.
afterEach(async () => {
  submissions.cancel();
  await waitFor(() => expect(submissions.get().sending).toBeNull());
});

const navigation = () => screen.getAllByRole('navigation')[0]!;

/** Submits a batch whose upload waits to be released, and looks at the credits meanwhile. */
async function submitAndLeave() {
  const { user } = openApp('/new');
  await user.upload(await screen.findByTestId('image-input'), picture('a.png'));
  await user.upload(screen.getByTestId('audio-input'), speech());
  await screen.findByText('speech.wav');
  await waitFor(() => expect(screen.getByRole('button', { name: '生成 1 个视频' })).toBeEnabled());
  await user.click(screen.getByRole('button', { name: '生成 1 个视频' }));
  await screen.findByRole('button', { name: '取消上传' });
  await user.click(within(navigation()).getByRole('link', { name: '积分' }));
  await screen.findByRole('heading', { level: 1, name: '积分' });
  return user;
}

const comeBack = async (user: Awaited<ReturnType<typeof submitAndLeave>>) => {
  await user.click(within(navigation()).getByRole('link', { name: '新建批次' }));
  await screen.findByRole('heading', { level: 1, name: '新建批次' });
};

/** Whether the browser would ask before the page goes. */
const asks = () => !window.dispatchEvent(new Event('beforeunload', { cancelable: true }));

const messages = () => within(screen.getByRole('log', { name: '通知' }));

describe('a form that was left while it was sent', () => {
  it('is found locked, with its progress, and leads to the batch', async () => {
    const user = await submitAndLeave();
    expect(asks()).toBe(true);
    await comeBack(user);
    expect(screen.getByRole('button', { name: '取消上传' })).toBeVisible();
    expect(screen.getByRole('button', { name: '添加图片' })).toBeDisabled();
    expect(screen.getByRole('textbox', { name: '表情与动作' })).toHaveAttribute('readonly');
    expect(asks()).toBe(true);
    release();
    expect(await screen.findByRole('heading', { level: 1, name: '批次 2026-11-22' })).toBeVisible();
    expect(draftStore.isEmpty()).toBe(true);
    expect(asks()).toBe(false);
  });

  it('can be given up by whoever comes back', async () => {
    const user = await submitAndLeave();
    await comeBack(user);
    await user.click(screen.getByRole('button', { name: '取消上传' }));
    expect(await screen.findByRole('button', { name: '生成 1 个视频' })).toBeEnabled();
    expect(asks()).toBe(false);
    release();
  });

  it('does not take anybody away from where they are, and says where the batch is', async () => {
    const user = await submitAndLeave();
    release();
    expect(await messages().findByText('批次已提交，开始生成')).toBeVisible();
    expect(window.location.pathname).toBe('/credits');
    expect(draftStore.isEmpty()).toBe(true);
    await user.click(messages().getByRole('link', { name: '查看批次' }));
    expect(await screen.findByRole('heading', { level: 1, name: '批次 2026-11-22' })).toBeVisible();
    expect(messages().queryByText('批次已提交，开始生成')).not.toBeInTheDocument();
  });

  it('says elsewhere that nothing was submitted, and on return why', async () => {
    answer = () => problem(402, 'insufficient_credits', { required: 1, available: 0 });
    const user = await submitAndLeave();
    release();
    await user.click(await messages().findByRole('link', { name: '回到草稿' }));
    expect(await screen.findByText('没有提交，也没有扣积分')).toBeVisible();
    expect(screen.getByText('a.png')).toBeVisible();
    expect(screen.getByRole('button', { name: '生成 1 个视频' })).toBeEnabled();
  });

  it('does not say elsewhere that nothing was submitted when that is not known', async () => {
    answer = () => problem(504, 'x');
    const user = await submitAndLeave();
    release();
    expect(await messages().findByText('连接中断')).toBeVisible();
    await user.click(messages().getByRole('link', { name: '回到草稿' }));
    expect(await screen.findByRole('button', { name: '继续提交' })).toBeEnabled();
  });

  it.each([
    ['accepted', () => HttpResponse.json({ batch_id: 'batch-1' }, { status: 201 })],
    ['refused', () => problem(422, 'invalid_batch', NO_FACE)],
  ])('leaves another draft as it is when the first was %s', async (_how, how) => {
    answer = how;
    await submitAndLeave();
    act(() => {
      draftStore.clear();
      draftStore.addImages([picture('b.png')]);
    });
    release();
    await waitFor(() => expect(asks()).toBe(false));
    expect(submitted).toBe(1);
    const { images } = draftStore.get();
    expect(images.map(({ name, problem }) => [name, problem])).toEqual([['b.png', null]]);
  });

  it('is sent no further once nobody is signed in', async () => {
    await submitAndLeave();
    act(() => clearTokens());
    await waitFor(() => expect(asks()).toBe(false));
    release();
    expect(submitted).toBe(0);
    expect(draftStore.get().images).toHaveLength(1);
    expect(messages().queryByText('没有提交，也没有扣积分')).not.toBeInTheDocument();
  });
});
