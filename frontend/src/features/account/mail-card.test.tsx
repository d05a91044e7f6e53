import { screen } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';

import { openApp } from '@/testing/render';
import { problem, server } from '@/testing/server';

const NONE = { available: true, address: '', confirmed: false, when_done: false };
const ASKED = { ...NONE, address: 'mei@example.com', when_done: true };

describe('letters', () => {
  it('are offered only where the installation sends them', async () => {
    server.use(http.get('/api/user/mail', () => HttpResponse.json({ ...NONE, available: false })));
    openApp('/account');
    await screen.findByRole('heading', { name: '密码' });
    expect(screen.queryByLabelText('电子邮件地址')).not.toBeInTheDocument();
  });

  it('go to an address that has to be confirmed', async () => {
    server.use(
      http.get('/api/user/mail', () => HttpResponse.json(NONE)),
      http.put('/api/user/mail', async ({ request }) => {
        expect(await request.json()).toEqual({ address: 'mei@example.com', when_done: true });
        return HttpResponse.json(ASKED);
      }),
    );
    const { user } = openApp('/account');
    await user.type(await screen.findByLabelText('电子邮件地址'), 'mei@example.com');
    await user.click(screen.getByRole('button', { name: '保存' }));
    expect(await screen.findByText(/确认邮件已发往 mei@example.com/)).toBeVisible();
  });

  it('are confirmed by the link in the letter, which is used up', async () => {
    server.use(
      http.get('/api/user/mail', () => HttpResponse.json(ASKED)),
      http.post('/api/user/mail/confirm', async ({ request }) => {
        expect(await request.json()).toEqual({ token: 'a:b:c' });
        return HttpResponse.json({ ...ASKED, confirmed: true });
      }),
    );
    openApp('/account#confirm=a:b:c');
    expect(await screen.findByText('地址已确认')).toBeVisible();
  });

  it('say why a link does not do', async () => {
    server.use(
      http.get('/api/user/mail', () => HttpResponse.json(ASKED)),
      http.post('/api/user/mail/confirm', () => problem(400, 'confirmation_not_valid')),
    );
    openApp('/account#confirm=old');
    expect(await screen.findByRole('alert')).toBeVisible();
  });
});
