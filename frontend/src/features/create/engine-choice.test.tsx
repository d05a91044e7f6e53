import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it } from 'vitest';

import type { DryRun, OfferedEngine } from '@/shared/api/types';
import { stubAudio } from '@/testing/audio';
import { makeBatch, makeDryRun, makeItem, makeOffer, makeStatus, makeUser } from '@/testing/data';
import { keptDraft, picture, speech, submitButton } from '@/testing/form';
import { openApp } from '@/testing/render';
import { problem, server } from '@/testing/server';

import { draftStore } from './draft';

const OWN = makeOffer({ engine: 'portrait', label: 'Portrait', is_default: true });
const SHORT = makeOffer({
  engine: 'wan',
  label: 'Wan S2V',
  limits: { audio_max_s: 2, credits_per_started_s: 1.5, understands_prompt: true },
});
const AWAY = makeOffer({
  engine: 'cloud',
  label: 'Cloud',
  ready: false,
  detail: '凭据已被拒绝。',
  limits: { audio_max_s: 90, image_min_side: 600, understands_prompt: false },
});

function offering(engines: OfferedEngine[]) {
  const { capabilities, limits } = engines.find((engine) => engine.is_default) ?? OWN;
  server.use(
    http.get('/api/engine/status', () =>
      HttpResponse.json(makeStatus({ capabilities, limits, engines })),
    ),
  );
}

/** Takes submissions, and answers checks with what is given. */
function takesBatches(check: Partial<DryRun> = {}): unknown[] {
  const bodies: unknown[] = [];
  server.use(
    http.post('/api/video/batch', async ({ request }) => {
      bodies.push(await request.json());
      return request.url.includes('dry_run')
        ? HttpResponse.json(makeDryRun(check))
        : HttpResponse.json({ batch_id: 'batch-1' }, { status: 201 });
    }),
    http.get('/api/video/batches/batch-1', () => HttpResponse.json(makeBatch([makeItem()]))),
  );
  return bodies;
}

beforeEach(() => {
  draftStore.clear();
  stubAudio();
});

async function openFilled(engines = [OWN, SHORT, AWAY]) {
  offering(engines);
  const { user } = openApp('/new');
  await screen.findByRole('radiogroup', { name: '引擎' });
  await user.upload(screen.getByTestId('image-input'), picture('a.png'));
  await user.upload(screen.getByTestId('audio-input'), speech());
  await screen.findByText('speech.wav');
  return user;
}

const engine = (name: string) => screen.getByRole('radio', { name });
const checkButton = () => screen.getByRole('button', { name: '先检查文件，不扣积分' });

describe('the choice of an engine', () => {
  it('is not there where one engine is offered', async () => {
    const status = makeStatus({ limits: { understands_prompt: false }, engines: [OWN] });
    server.use(http.get('/api/engine/status', () => HttpResponse.json(status)));
    const { user } = openApp('/new');
    const field = await screen.findByRole('textbox', { name: '表情与动作' });
    await user.type(field, '微笑');
    // Then what the server offers is known.
    await waitFor(() => expect(field).toHaveAccessibleDescription(/不支持描述/));
    expect(screen.queryByRole('radiogroup')).not.toBeInTheDocument();
  });

  it('says of each what it costs, what it takes and whether it works', async () => {
    offering([OWN, SHORT, AWAY]);
    openApp('/new');
    const group = within(await screen.findByRole('radiogroup', { name: '引擎' }));
    expect(group.getAllByRole('radio')).toHaveLength(4);
    expect(engine('自动 · Portrait')).toBeChecked();
    expect(engine('Portrait')).toHaveAccessibleDescription(
      '每个视频 1 积分录音 0.5 秒至 5 分钟 · 支持描述',
    );
    expect(engine('Wan S2V')).toHaveAccessibleDescription(
      /每 1.5 秒 1 积分，不足按 1.5 秒计录音 0.5 秒至 2 秒/,
    );
    expect(engine('Cloud')).toHaveAccessibleDescription(
      /至 1 分 30 秒 · 不支持描述现在不能生成凭据已被拒绝。$/,
    );
  });

  it('changes the price and the limits, which hold again for what was there', async () => {
    const user = await openFilled();
    expect(screen.getByText('1 积分')).toBeVisible();
    expect(submitButton()).toBeEnabled();
    await user.click(engine('Wan S2V'));
    expect(await screen.findByText('录音太长，最多 2 秒。')).toBeVisible();
    expect(screen.getByText('2 积分')).toBeVisible();
    expect(submitButton()).toBeDisabled();
    await user.keyboard('{ArrowDown}');
    expect(engine('Cloud')).toBeChecked();
    expect(await screen.findByText('图片太小，每边至少要 600 像素。')).toBeVisible();
    expect(screen.queryByText('录音太长，最多 2 秒。')).not.toBeInTheDocument();
    await user.click(engine('自动 · Portrait'));
    await waitFor(() => expect(submitButton()).toBeEnabled());
  });

  it('is sent, and none is while the rules decide', async () => {
    const bodies = takesBatches();
    const user = await openFilled([OWN, makeOffer({ engine: 'wan', label: 'Wan S2V' })]);
    await user.click(checkButton());
    await screen.findByText('全部文件检查通过，将由 Portrait 生成。');
    const before = draftStore.get().key;
    await user.click(engine('Wan S2V'));
    expect(draftStore.get().key).not.toBe(before);
    expect(screen.queryByText('全部文件检查通过，将由 Portrait 生成。')).not.toBeInTheDocument();
    await user.click(submitButton());
    await screen.findByRole('heading', { level: 1, name: '批次 2026-11-22' });
    expect(bodies[0]).not.toHaveProperty('engine');
    expect(bodies[1]).toMatchObject({ engine: 'wan' });
    expect(draftStore.get().engine).toBe('');
  });

  it('stays with a kept draft, as long as the engine is offered', async () => {
    const kept = { images: [], audio: null, prompt: '', name: '', key: 'kept' };
    await draftStore.restore({ ...kept, engine: 'wan' });
    offering([OWN, SHORT]);
    const { unmount } = openApp('/new');
    expect(await screen.findByRole('radio', { name: 'Wan S2V' })).toBeChecked();
    unmount();
    const { capabilities } = OWN;
    const limits = { ...OWN.limits, price_varies: true };
    server.use(
      http.get('/api/engine/status', () =>
        HttpResponse.json(makeStatus({ capabilities, limits, engines: [OWN, AWAY] })),
      ),
    );
    const { user } = openApp('/new');
    const group = await screen.findByRole('radiogroup', { name: '引擎' });
    expect(group).toHaveAccessibleDescription('引擎 wan 已不再提供，请另选。');
    for (const radio of within(group).getAllByRole('radio')) expect(radio).not.toBeChecked();
    // It may have been accepted, and the answer lost: sent as it is, it is the same submission.
    expect(draftStore.get()).toMatchObject({ engine: 'wan', key: 'kept' });
    await user.click(engine('自动 · Portrait'));
    expect(group).not.toHaveAccessibleDescription();
    expect(draftStore.get().engine).toBe('');
    expect(draftStore.get().key).not.toBe('kept');
  });

  it('has no price of another engine once its own is not offered, and can still be sent', async () => {
    server.use(http.get('/api/user/profile', () => HttpResponse.json(makeUser({ credits: 1 }))));
    await draftStore.restore({ ...keptDraft(), engine: 'wan' });
    // The engine that the rules choose costs more than there is.
    offering([makeOffer({ ...OWN, limits: { ...OWN.limits, credits_per_started_s: 1 } })]);
    const { user } = openApp('/new');
    const group = await screen.findByRole('radiogroup', { name: '引擎' });
    expect(group).toHaveAccessibleDescription('引擎 wan 已不再提供，请另选。');
    expect(await screen.findAllByText('–')).toHaveLength(2);
    expect(screen.queryByText(/需要 \d+ 积分/)).not.toBeInTheDocument();
    expect(submitButton()).toBeEnabled();
    await user.click(engine('自动 · Portrait'));
    expect(await screen.findByText(/需要 3 积分，现有 1/)).toBeVisible();
    expect(submitButton()).toBeDisabled();
  });

  it('can be changed when there is nothing else to choose from', async () => {
    const kept = { images: [], audio: null, prompt: '', name: '', key: 'kept' };
    await draftStore.restore({ ...kept, engine: 'wan' });
    offering([OWN]);
    const { user } = openApp('/new');
    await user.click(await screen.findByRole('radio', { name: '自动 · Portrait' }));
    await waitFor(() => expect(screen.queryByRole('radiogroup')).not.toBeInTheDocument());
  });

  it('of the own engine by name stays good when others are offered no longer', async () => {
    const kept = { images: [], audio: null, prompt: '', name: '', key: 'kept' };
    await draftStore.restore({ ...kept, engine: 'portrait' });
    offering([OWN]);
    openApp('/new');
    expect(await screen.findByRole('radio', { name: 'Portrait' })).toBeChecked();
    expect(screen.getByRole('radiogroup', { name: '引擎' })).not.toHaveAccessibleDescription();
    expect(draftStore.get()).toMatchObject({ engine: 'portrait', key: 'kept' });
  });

  it('is refused in its place, in the words of the server', async () => {
    server.use(
      http.post('/api/video/batch', () =>
        problem(400, 'invalid_batch', {
          detail: '此引擎未提供。',
          errors: { engine: { code: 'engine_not_offered', detail: '此引擎未提供。' } },
        }),
      ),
    );
    const user = await openFilled([OWN, makeOffer({ engine: 'wan', label: 'Wan S2V' })]);
    await user.click(engine('Wan S2V'));
    await user.click(submitButton());
    await screen.findByText('没有提交，也没有扣积分');
    const group = screen.getByRole('radiogroup', { name: '引擎' });
    expect(group).toHaveAccessibleDescription('此引擎未提供。');
    expect(screen.queryByText(/已在相应位置标出/)).not.toBeInTheDocument();
    await user.click(engine('自动 · Portrait'));
    expect(group).not.toHaveAccessibleDescription();
  });

  it('forgets what the server found with another engine, but not what is wrong with a file', async () => {
    const errors = {
      images: [
        { index: 0, code: 'no_face', detail: 'x' },
        { index: 1, code: 'image_aspect_engine', detail: 'x' },
        { index: 2, code: 'image_truncated', detail: 'x' },
      ],
    };
    server.use(http.post('/api/video/batch', () => problem(400, 'invalid_batch', { errors })));
    const user = await openFilled([OWN, makeOffer({ engine: 'wan', label: 'Wan S2V' })]);
    await user.upload(screen.getByTestId('image-input'), [picture('b.png'), picture('c.png')]);
    const problems = () => draftStore.get().images.map((image) => image.problem?.code);
    await user.click(screen.getByRole('button', { name: '生成 3 个视频' }));
    await waitFor(() =>
      expect(problems()).toEqual(['no_face', 'image_aspect_engine', 'image_truncated']),
    );
    await user.click(engine('Wan S2V'));
    await waitFor(() => expect(problems()).toEqual([undefined, undefined, 'image_truncated']));
  });
});

describe('a price that depends on the rules', () => {
  it('is told by a check before anything can be submitted', async () => {
    takesBatches({ price_per_image: 4, price: 4 });
    const limits = { ...OWN.limits, price_varies: true };
    server.use(
      http.get('/api/engine/status', () =>
        HttpResponse.json(makeStatus({ limits, engines: [OWN] })),
      ),
    );
    const { user } = openApp('/new');
    await user.upload(await screen.findByTestId('image-input'), picture('a.png'));
    await user.upload(screen.getByTestId('audio-input'), speech());
    expect(await screen.findByText(/价格取决于由哪个引擎生成/)).toBeVisible();
    expect(screen.queryByText('1 积分')).not.toBeInTheDocument();
    expect(submitButton()).toBeDisabled();
    await user.click(checkButton());
    expect(await screen.findByText('4 积分')).toBeVisible();
    await user.click(submitButton());
    await screen.findByRole('heading', { level: 1, name: '批次 2026-11-22' });
  });

  it('is known for an engine that was chosen', async () => {
    server.use(
      http.get('/api/engine/status', () =>
        HttpResponse.json(makeStatus({ limits: { price_varies: true }, engines: [OWN, SHORT] })),
      ),
    );
    const { user } = openApp('/new');
    await user.upload(await screen.findByTestId('image-input'), picture('a.png'));
    await user.upload(screen.getByTestId('audio-input'), speech());
    expect(await screen.findByText(/价格取决于由哪个引擎生成/)).toBeVisible();
    await user.click(engine('Portrait'));
    expect(screen.queryByText(/价格取决于由哪个引擎生成/)).not.toBeInTheDocument();
    expect(submitButton()).toBeEnabled();
  });
});

describe('a prompt that is not followed', () => {
  it('is told at its field before anything is submitted', async () => {
    const user = await openFilled();
    const field = screen.getByRole('textbox', { name: '表情与动作' });
    await user.click(engine('Cloud'));
    expect(field).not.toHaveAccessibleDescription();
    await user.type(field, '微笑');
    expect(field).toHaveAccessibleDescription('引擎 Cloud 不支持描述：生成视频时不会用到。');
    await user.click(engine('自动 · Portrait'));
    expect(field).not.toHaveAccessibleDescription();
  });

  it('is told by a check, beside who would make the batch and its price; it keeps nobody from submitting', async () => {
    const said = '引擎 LightX2V 不支持提示词：生成视频时不会用到。';
    takesBatches({
      engine: { name: 'lightx2v', label: 'LightX2V' },
      price_per_image: 4,
      notices: [{ code: 'prompt_not_honoured', detail: said }],
    });
    const user = await openFilled();
    const field = screen.getByRole('textbox', { name: '表情与动作' });
    await user.type(field, '微笑');
    await user.click(checkButton());
    const made = await screen.findByText('全部文件检查通过，将由 LightX2V 生成。');
    expect(made.closest('[role=status]')).toBeInTheDocument();
    const told = screen.getAllByText(said).map((node) => node.closest('[role=status]'));
    expect(told).toHaveLength(2);
    expect(told).not.toContain(null);
    expect(field).toHaveAccessibleDescription(said);
    expect(screen.getByText('4 积分')).toBeVisible();
    expect(screen.queryByRole('alert')).not.toBeInTheDocument();
    await user.click(submitButton());
    await screen.findByRole('heading', { level: 1, name: '批次 2026-11-22' });
  });
});
