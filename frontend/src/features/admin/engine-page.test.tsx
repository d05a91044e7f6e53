import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';

import type { EngineFacts } from '@/shared/api/types';
import { makeStatus, makeUser } from '@/testing/data';
import { openApp } from '@/testing/render';
import { server } from '@/testing/server';

const portrait: EngineFacts = {
  engine: 'portrait',
  label: 'Portrait',
  ready: true,
  detail: '',
  capabilities: { fps: 25 },
};
const cloud = {
  engine: 'cloud',
  label: 'Cloud',
  ready: false,
  detail: '凭据已被拒绝。',
  capabilities: { fps: 16, max_audio_s: 20 },
};
const nowhere = {
  ...cloud,
  engine: 'wan',
  label: 'Wan',
  detail: '没有工作进程。',
  capabilities: {},
};

const worker = {
  id: '1',
  name: 'render-1:4711',
  version: '1.0.0',
  state: 'paused',
  trouble: 'store_away',
  detail: 'The media store does not answer. Videos wait until it does.',
  slots: 2,
  engines: ['portrait'],
  engine_states: [portrait],
  rendering: ['a'],
  started_at: '2026-11-26T08:00:00Z',
  seen_at: '2026-11-26T09:00:00Z',
};

const credential = {
  engine: 'dashscope',
  use: 'required',
  origin: 'none',
  readable: true,
  set_at: null,
  set_by: '',
  last_use: 'unknown',
  last_used_at: null,
};

function answerWith(workers: unknown[], credentials: unknown[] = [], engines = [portrait]) {
  server.use(
    http.get('/api/user/profile', () =>
      HttpResponse.json(makeUser({ isAdmin: true, is_admin: true })),
    ),
    http.get('/api/token/status', () => HttpResponse.json({ valid: true })),
    http.get('/api/engine/status', () =>
      HttpResponse.json(
        makeStatus({ capabilities: { fps: 25 }, queue: { pending: 3, processing: 1 } }),
      ),
    ),
    http.get('/api/admin/token', () => HttpResponse.json({ credentials })),
    http.get('/api/admin/workers', () => HttpResponse.json({ engines, workers })),
  );
}

describe('the engine page', () => {
  it('lists the workers, what they do and why one takes nothing', async () => {
    answerWith([worker, { ...worker, id: '2', name: 'render-2:1', state: 'ready', detail: '' }]);
    openApp('/manage/engine');
    const [paused, ready] = await screen.findAllByText(/^render-/);
    const row = within(paused!.closest('li')!);
    expect(row.getByText('不接受任务')).toBeInTheDocument();
    expect(row.getByText(/2 个位置中 1 个在使用 · portrait/)).toBeInTheDocument();
    expect(row.getByText(worker.detail)).toBeInTheDocument();
    expect(within(ready!.closest('li')!).getByText('接受任务')).toBeInTheDocument();
  });

  it('says that no worker runs', async () => {
    answerWith([]);
    openApp('/manage/engine');
    expect(await screen.findByText(/没有工作进程在运行/)).toBeInTheDocument();
  });

  it('sets a credential and shows by whom, but not which', async () => {
    answerWith([], [credential]);
    const sent: unknown[] = [];
    server.use(
      http.patch('/api/admin/token', async ({ request }) => {
        sent.push(await request.json());
        const set = { origin: 'stored', set_at: '2026-11-27T08:00:00Z', set_by: 'lin' };
        answerWith([], [{ ...credential, ...set, last_use: 'accepted' }]);
        return HttpResponse.json({ success: true, message: '已设置。' });
      }),
    );
    const user = userEvent.setup();
    openApp('/manage/engine');
    expect(await screen.findByText('该引擎需要凭据。')).toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: '设置' }));
    const dialog = within(await screen.findByRole('dialog'));
    const field = dialog.getByLabelText('新凭据');
    expect(field).toHaveAttribute('type', 'password');
    await user.type(field, 'sk-0123456789');
    await user.click(dialog.getByRole('button', { name: '设置' }));
    expect(await screen.findByText(/由 lin 设置 · 服务器已接受/)).toBeInTheDocument();
    expect(sent).toEqual([{ engine: 'dashscope', new_token: 'sk-0123456789' }]);
    expect(document.body.innerHTML).not.toContain('sk-0123456789');
  });

  it('removes one after asking', async () => {
    answerWith([], [{ ...credential, origin: 'stored', set_at: '2026-11-27T08:00:00Z' }]);
    let removed = '';
    server.use(
      http.delete('/api/admin/token', ({ request }) => {
        removed = new URL(request.url).searchParams.get('engine') ?? '';
        answerWith([], [credential]);
        return HttpResponse.json({ success: true, message: '已移除。' });
      }),
    );
    const user = userEvent.setup();
    openApp('/manage/engine');
    await user.click(await screen.findByRole('button', { name: '移除' }));
    const dialog = within(await screen.findByRole('alertdialog'));
    await user.click(dialog.getByRole('button', { name: '移除' }));
    expect(await screen.findByText('该引擎需要凭据。')).toBeInTheDocument();
    expect(removed).toBe('dashscope');
  });

  it('says nothing of credentials where no engine takes one', async () => {
    answerWith([], [{ ...credential, engine: 'portrait', use: 'none' }]);
    openApp('/manage/engine');
    expect(await screen.findByText(/没有工作进程在运行/)).toBeInTheDocument();
    expect(screen.queryByText('凭据')).not.toBeInTheDocument();
  });

  it('lists all engines of the installation, and those of each worker', async () => {
    const both = { state: 'ready', detail: '', engines: ['cloud', 'portrait'] };
    answerWith(
      [
        { ...worker, ...both, engine_states: [cloud, portrait] },
        { ...worker, state: 'ready', detail: '', id: '2', name: 'render-2:1' },
      ],
      [],
      [portrait, cloud, nowhere],
    );
    const user = userEvent.setup();
    openApp('/manage/engine');
    const card = within((await screen.findByRole('heading', { name: '引擎' })).closest('section')!);
    const [first, second, third] = card.getAllByRole('listitem');
    expect(first).toHaveTextContent(/^Portrait默认可以生成portrait · 2 个工作进程/);
    expect(second).toHaveTextContent(/^Cloud现在不能生成cloud · 1 个工作进程凭据已被拒绝。/);
    expect(third).toHaveTextContent('Wan现在不能生成wan · 没有工作进程没有工作进程。');
    await user.click(within(second!).getByText(/引擎能力/));
    expect(within(second!).getByText('20')).toBeVisible();
    const own = within(screen.getByRole('list', { name: 'render-1:4711 的引擎' }));
    expect(own.getByText('Cloud').closest('li')).toHaveTextContent('现在不能生成凭据已被拒绝。');
    expect(own.getByText('Portrait').closest('li')).toHaveTextContent('可以生成');
    expect(screen.getAllByRole('list', { name: /的引擎$/ })).toHaveLength(1);
  });
});
