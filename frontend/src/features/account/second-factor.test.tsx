import { screen, waitFor } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it } from 'vitest';

import { makeUser } from '@/testing/data';
import { openApp } from '@/testing/render';
import { problem, server } from '@/testing/server';

let status = { policy: 'optional', enabled: false, recovery_codes_left: 0 };

beforeEach(() => {
  status = { policy: 'optional', enabled: false, recovery_codes_left: 0 };
  server.use(
    http.get('/api/user/profile', () =>
      HttpResponse.json(makeUser({ isAdmin: true, is_admin: true })),
    ),
    http.get('/api/user/totp', () => HttpResponse.json(status)),
  );
});

describe('the second factor of an administrator', () => {
  it('is set up by a QR code and a first code, and shows recovery codes once', async () => {
    server.use(
      http.post('/api/user/totp', async ({ request }) => {
        expect(await request.json()).toEqual({ password: 'my-Password-1' });
        return HttpResponse.json({
          secret: 'ABCD',
          uri: 'otpauth://totp/x',
          qr_svg: '<svg></svg>',
        });
      }),
      http.post('/api/user/totp/confirm', async ({ request }) => {
        expect(await request.json()).toEqual({ code: '123456' });
        status = { ...status, enabled: true, recovery_codes_left: 10 };
        return HttpResponse.json({ recovery_codes: ['aaaa-bbbb', 'cccc-dddd'] });
      }),
    );
    const { user } = openApp('/account');
    await screen.findByRole('heading', { name: '两步验证' });
    const passwords = screen.getAllByLabelText('当前密码');
    await user.type(passwords[passwords.length - 1]!, 'my-Password-1');
    await user.click(screen.getByRole('button', { name: '开始设置' }));
    expect(await screen.findByRole('img', { name: '身份验证器二维码' })).toHaveAttribute(
      'src',
      expect.stringContaining('data:image/svg+xml'),
    );
    expect(screen.getByTestId('totp-secret')).toHaveTextContent('ABCD');
    await user.type(screen.getByLabelText('身份验证器验证码'), '123456');
    await user.click(screen.getByRole('button', { name: '启用' }));
    expect(await screen.findByText('aaaa-bbbb')).toBeVisible();
    await user.click(screen.getByRole('button', { name: '完成' }));
    expect(screen.queryByText('aaaa-bbbb')).not.toBeInTheDocument();
    expect(await screen.findByText('已启用，剩余 10 个恢复码。')).toBeVisible();
  });

  it('is not offered where the installation has none', async () => {
    status = { ...status, policy: 'off' };
    openApp('/account');
    await screen.findByRole('heading', { name: '登录' });
    await waitFor(() =>
      expect(screen.queryByRole('heading', { name: '两步验证' })).not.toBeInTheDocument(),
    );
  });
});

describe('signing in with a second factor', () => {
  it('asks for the code once the password was right', async () => {
    localStorage.clear();
    const sent: unknown[] = [];
    server.use(
      http.post('/api/auth/login', async ({ request }) => {
        const body = (await request.json()) as { otp?: string };
        sent.push(body);
        if (!body.otp) return problem(401, 'otp_required');
        if (body.otp !== '654321') return problem(401, 'otp_invalid');
        return HttpResponse.json({
          token: 't',
          refresh: 'r',
          expires_in: 3600,
          user_info: makeUser(),
        });
      }),
    );
    const { user } = openApp('/login', { signedIn: false });
    await user.type(await screen.findByLabelText('用户名'), 'boss');
    await user.type(screen.getByLabelText('密码'), 'my-Password-1');
    expect(screen.queryByLabelText('身份验证器验证码')).not.toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: '登录' }));
    const code = await screen.findByLabelText('身份验证器验证码');
    expect(screen.getByText('请同时输入身份验证器的验证码。')).toBeVisible();
    await user.type(code, '111111');
    await user.click(screen.getByRole('button', { name: '登录' }));
    expect(await screen.findByText(/验证码错误或已使用过/)).toBeVisible();
    await user.type(code, '654321');
    await user.click(screen.getByRole('button', { name: '登录' }));
    await waitFor(() => expect(localStorage.getItem('token')).toBe('t'));
    expect(sent).toHaveLength(3);
  });
});
