import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it } from 'vitest';

import { makeUser } from '@/testing/data';
import { openApp } from '@/testing/render';
import { problem, server } from '@/testing/server';

import { balanceAfter } from './components/credits-dialog';

let users = [makeUser()];

beforeEach(() => {
  users = [
    makeUser({ id: 'admin-1', username: 'boss', isAdmin: true, is_admin: true }),
    makeUser({ id: 'user-2', username: 'mei', credits: 8 }),
  ];
  server.use(
    http.get('/api/user/profile', () => HttpResponse.json(users[0])),
    http.get('/api/admin/users', ({ request }) => {
      const search = new URL(request.url).searchParams.get('search') ?? '';
      const found = users.filter((user) => user.username.includes(search));
      return HttpResponse.json({ users: found, total: found.length });
    }),
  );
});

describe('administering users', () => {
  it('creates a user and shows the generated password once', async () => {
    server.use(
      http.post('/api/admin/users', async ({ request }) => {
        expect(await request.json()).toEqual({
          username: 'new-user',
          credits: 30,
          is_admin: false,
        });
        const user = makeUser({ id: 'user-3', username: 'new-user', credits: 30 });
        users.push(user);
        return HttpResponse.json({ success: true, user, password: 'once-Only-9' }, { status: 201 });
      }),
    );
    const { user } = openApp('/manage/users');
    await user.click(await screen.findByRole('button', { name: '新建用户' }));
    const dialog = await screen.findByRole('dialog');
    await user.type(within(dialog).getByLabelText('用户名'), 'new-user');
    const credits = within(dialog).getByLabelText('初始积分');
    await user.clear(credits);
    await user.type(credits, '30');
    await user.click(within(dialog).getByRole('button', { name: '新建用户' }));
    expect(await screen.findByText('once-Only-9')).toBeVisible();
    await user.click(screen.getByRole('button', { name: '完成' }));
    expect(await screen.findByRole('rowheader', { name: 'new-user' })).toBeVisible();
    expect(screen.queryByText('once-Only-9')).not.toBeInTheDocument();
  });

  it('keeps what was typed when the name is taken', async () => {
    server.use(http.post('/api/admin/users', () => problem(409, 'username_taken')));
    const { user } = openApp('/manage/users');
    await user.click(await screen.findByRole('button', { name: '新建用户' }));
    const dialog = await screen.findByRole('dialog');
    await user.type(within(dialog).getByLabelText('用户名'), 'mei');
    await user.click(within(dialog).getByRole('button', { name: '新建用户' }));
    expect(await within(dialog).findByRole('alert')).toHaveTextContent('这个用户名已有人使用。');
    expect(within(dialog).getByLabelText('用户名')).toHaveValue('mei');
  });

  it('tops up with a reason, and a second try carries the same key', async () => {
    const calls: { key: string | null; body: unknown }[] = [];
    server.use(
      http.patch('/api/admin/users/user-2/credits', async ({ request }) => {
        calls.push({ key: request.headers.get('Idempotency-Key'), body: await request.json() });
        if (calls.length === 1) return HttpResponse.error();
        users[1] = makeUser({ id: 'user-2', username: 'mei', credits: 58 });
        return HttpResponse.json({ success: true, user_id: 'user-2', credits: 58 });
      }),
    );
    const { user } = openApp('/manage/users');
    await user.click(await screen.findByRole('button', { name: '调整积分：mei' }));
    const dialog = await screen.findByRole('dialog');
    await user.type(within(dialog).getByLabelText('积分数'), '50');
    expect(within(dialog).getByText('8 → 58')).toBeVisible();
    expect(within(dialog).getByRole('button', { name: '保存' })).toBeDisabled();
    await user.type(within(dialog).getByLabelText('原因'), '充值');
    await user.click(within(dialog).getByRole('button', { name: '保存' }));
    await within(dialog).findByRole('alert');
    await user.click(within(dialog).getByRole('button', { name: '保存' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
    expect(await screen.findByRole('cell', { name: '58' })).toBeVisible();
    expect(calls.map(({ body }) => body)).toEqual([
      { delta: 50, reason: '充值' },
      { delta: 50, reason: '充值' },
    ]);
    expect(calls[0]?.key).toBeTruthy();
    expect(calls[0]?.key).toBe(calls[1]?.key);
  });

  it('resets a password, shown once, and ends sessions', async () => {
    server.use(
      http.post('/api/admin/users/user-2/password', () =>
        HttpResponse.json({ success: true, password: 'fresh-Only-3' }),
      ),
      http.post('/api/admin/users/user-2/logout', () =>
        HttpResponse.json({ success: true, count: 2 }),
      ),
    );
    const { user } = openApp('/manage/users');
    await user.click(await screen.findByRole('button', { name: /更多操作.*mei|mei.*更多操作/ }));
    await user.click(await screen.findByRole('menuitem', { name: '重置密码' }));
    await user.click(await screen.findByRole('button', { name: '重置密码' }));
    expect(await screen.findByText('fresh-Only-3')).toBeVisible();
    await user.click(screen.getByRole('button', { name: '完成' }));
    expect(screen.queryByText('fresh-Only-3')).not.toBeInTheDocument();

    await user.click(await screen.findByRole('button', { name: /更多操作.*mei|mei.*更多操作/ }));
    await user.click(await screen.findByRole('menuitem', { name: '结束所有会话' }));
    await user.click(await screen.findByRole('button', { name: '结束所有会话' }));
    expect(await screen.findByText('已结束 2 个会话')).toBeVisible();
  });

  it('puts a user into a group', async () => {
    const sent: unknown[] = [];
    server.use(
      http.get('/api/admin/groups', () =>
        HttpResponse.json({ groups: [{ id: 'group-1', name: 'press', queue_weight: 2 }] }),
      ),
      http.patch('/api/admin/users/user-2', async ({ request }) => {
        sent.push(await request.json());
        return HttpResponse.json(users[1]);
      }),
    );
    const { user } = openApp('/manage/users');
    await user.click(await screen.findByRole('button', { name: /更多操作.*mei|mei.*更多操作/ }));
    await user.click(await screen.findByRole('menuitem', { name: '更改用户组' }));
    await screen.findByRole('option', { name: 'press' });
    await user.selectOptions(screen.getByLabelText('用户组'), 'press');
    await waitFor(() => expect(sent).toEqual([{ group: 'group-1' }]));
  });

  it('searches on the server', async () => {
    const { user } = openApp('/manage/users');
    await screen.findByRole('rowheader', { name: 'mei' });
    await user.type(screen.getByRole('searchbox', { name: '搜索用户名' }), 'bos');
    await waitFor(() => expect(screen.queryByRole('rowheader', { name: 'mei' })).toBeNull());
    expect(await screen.findByRole('rowheader', { name: /boss/ })).toBeVisible();
  });

  it('searches for nothing while only a space is typed', async () => {
    const asked: (string | null)[] = [];
    server.use(
      http.get('/api/admin/users', ({ request }) => {
        asked.push(new URL(request.url).searchParams.get('search'));
        return HttpResponse.json({ users, total: users.length });
      }),
    );
    const { user } = openApp('/manage/users');
    await screen.findByRole('rowheader', { name: 'mei' });
    const field = screen.getByRole('searchbox', { name: '搜索用户名' });
    await user.type(field, ' ');
    await user.type(field, 'mei ');
    await waitFor(() => expect(asked.at(-1)).toBe('mei'));
    expect(asked).toEqual([null, 'mei']);
  });
});

describe('balanceAfter', () => {
  it('adds, deducts and sets', () => {
    expect(balanceAfter('add', 8, '5')).toBe(13);
    expect(balanceAfter('deduct', 8, '9')).toBe(-1);
    expect(balanceAfter('set', 8, '0')).toBe(0);
  });

  it('refuses what is no whole number', () => {
    for (const amount of ['', '-1', '1.5', 'x', '99999999999']) {
      expect(balanceAfter('add', 8, amount)).toBeNull();
    }
    expect(balanceAfter('add', 8, '0')).toBeNull();
  });
});
