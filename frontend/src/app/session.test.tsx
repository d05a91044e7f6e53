import { screen, waitFor } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';

import { makeUser } from '@/testing/data';
import { openApp } from '@/testing/render';
import { problem, server } from '@/testing/server';

const tokens = (token: string, refresh: string) => ({
  token,
  refresh,
  expires_in: 900,
  user_info: makeUser(),
});

function ledgerFor(validToken: string) {
  return http.get('/api/user/credits', ({ request }) =>
    request.headers.get('Authorization') === `Bearer ${validToken}`
      ? HttpResponse.json({ entries: [], total: 0 })
      : problem(401, 'token_not_valid'),
  );
}

async function signIn(user: ReturnType<typeof openApp>['user']) {
  await user.type(await screen.findByLabelText('用户名'), 'lin');
  await user.type(screen.getByLabelText('密码'), 'secret-password');
  await user.click(screen.getByRole('button', { name: '登录' }));
}

describe('signing in', () => {
  it('leads back to where the visitor wanted to go', async () => {
    server.use(
      http.post('/api/auth/login', () => HttpResponse.json(tokens('token-1', 'refresh-1'))),
      ledgerFor('token-1'),
    );
    const { user } = openApp('/credits', { signedIn: false });
    await signIn(user);
    expect(await screen.findByRole('heading', { level: 1, name: '积分' })).toBeVisible();
    expect(localStorage.getItem('token')).toBe('token-1');
    expect(localStorage.getItem('refresh_token')).toBe('refresh-1');
  });

  it('says in the user’s language why it failed', async () => {
    server.use(http.post('/api/auth/login', () => problem(401, 'invalid_credentials')));
    const { user } = openApp('/login', { signedIn: false });
    await signIn(user);
    expect(await screen.findByRole('alert')).toHaveTextContent('用户名或密码不对。');
  });

  it('says how long to wait after too many attempts', async () => {
    server.use(
      http.post('/api/auth/login', () =>
        HttpResponse.json(
          { detail: 'Slow down.', code: 'too_many_attempts' },
          { status: 429, headers: { 'Retry-After': '42' } },
        ),
      ),
    );
    const { user } = openApp('/login', { signedIn: false });
    await signIn(user);
    expect(await screen.findByRole('alert')).toHaveTextContent('42 秒');
  });

  it('shows the server’s own words for a code it does not know', async () => {
    server.use(http.post('/api/auth/login', () => problem(403, 'house_rule')));
    const { user } = openApp('/login', { signedIn: false });
    await signIn(user);
    expect(await screen.findByRole('alert')).toHaveTextContent('(house_rule)');
  });
});

describe('an expired token', () => {
  it('is refreshed silently, once for all calls of the screen', async () => {
    let refreshes = 0;
    server.use(
      http.get('/api/user/profile', ({ request }) =>
        request.headers.get('Authorization') === 'Bearer token-2'
          ? HttpResponse.json(makeUser({ credits: 7 }))
          : problem(401, 'token_not_valid'),
      ),
      ledgerFor('token-2'),
      http.post('/api/auth/refresh', async ({ request }) => {
        refreshes += 1;
        expect(await request.json()).toEqual({ refresh: 'refresh-1' });
        return HttpResponse.json(tokens('token-2', 'refresh-2'));
      }),
    );
    openApp('/credits');
    expect(await screen.findByText('最多还可以生成 7 个视频')).toBeVisible();
    expect(await screen.findByText('没有记录')).toBeVisible();
    expect(refreshes).toBe(1);
    expect(localStorage.getItem('refresh_token')).toBe('refresh-2');
  });

  it('that cannot be refreshed asks to sign in and then returns', async () => {
    server.use(
      http.get('/api/user/profile', ({ request }) =>
        request.headers.get('Authorization') === 'Bearer token-3'
          ? HttpResponse.json(makeUser())
          : problem(401, 'token_not_valid'),
      ),
      ledgerFor('token-3'),
      http.post('/api/auth/refresh', () => problem(401, 'token_used')),
      http.post('/api/auth/login', () => HttpResponse.json(tokens('token-3', 'refresh-3'))),
    );
    const { user } = openApp('/credits');
    await signIn(user);
    expect(await screen.findByRole('heading', { level: 1, name: '积分' })).toBeVisible();
    expect(window.location.pathname).toBe('/credits');
  });

  it('does not sign anybody out while the server is unreachable', async () => {
    server.use(
      http.get('/api/user/profile', () => problem(401, 'token_not_valid')),
      http.get('/api/user/credits', () => problem(401, 'token_not_valid')),
      http.post('/api/auth/refresh', () => HttpResponse.error()),
    );
    openApp('/credits');
    expect(await screen.findByRole('heading', { level: 1, name: '积分' })).toBeVisible();
    expect(await screen.findByText('连接不上服务器')).toBeVisible();
    expect(localStorage.getItem('token')).toBe('token-1');
  });
});

describe('the frame', () => {
  it('hides administration from others, also by address', async () => {
    openApp('/manage/users');
    expect(await screen.findByText('这里什么也没有')).toBeVisible();
    expect(screen.queryByRole('link', { name: '管理' })).not.toBeInTheDocument();
  });

  it('signs out and forgets the tokens', async () => {
    let ended = false;
    server.use(
      ledgerFor('token-1'),
      http.post('/api/auth/logout', () => {
        ended = true;
        return HttpResponse.json({ success: true });
      }),
    );
    const { user } = openApp('/credits');
    await user.click(await screen.findByRole('button', { name: 'lin 的账户菜单' }));
    await user.click(await screen.findByRole('menuitem', { name: '退出登录' }));
    expect(await screen.findByRole('button', { name: '登录' })).toBeVisible();
    await waitFor(() => expect(localStorage.getItem('token')).toBeNull());
    expect(ended).toBe(true);
  });

  it('speaks English as well, at once', async () => {
    server.use(ledgerFor('token-1'));
    const { user } = openApp('/credits');
    await user.click(await screen.findByRole('button', { name: 'lin 的账户菜单' }));
    await user.click(await screen.findByRole('menuitem', { name: 'English' }));
    expect(await screen.findByRole('heading', { level: 1, name: 'Credits' })).toBeVisible();
    expect(document.documentElement.lang).toBe('en');
  });
});
