import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it } from 'vitest';

import { makeAuditEntry, makeUser } from '@/testing/data';
import { openApp } from '@/testing/render';
import { server } from '@/testing/server';

import { detailsOf } from './audit-page';

let asked: URLSearchParams[] = [];

beforeEach(() => {
  asked = [];
  const entries = [
    makeAuditEntry({ number: 3, id: '3' }),
    makeAuditEntry({
      number: 2,
      id: '2',
      action: 'credits.topup',
      actor_id: null,
      actor_name: 'topup_credits',
      acting_as: 'command',
    }),
  ];
  server.use(
    http.get('/api/user/profile', () =>
      HttpResponse.json(makeUser({ isAdmin: true, is_admin: true })),
    ),
    http.get('/api/admin/audit', ({ request }) => {
      const query = new URL(request.url).searchParams;
      asked.push(query);
      return HttpResponse.json({ entries, next_before: null });
    }),
  );
});

describe('the audit log', () => {
  it('says who did what, whose it was, why and from where', async () => {
    openApp('/manage/audit');
    const row = (await screen.findByText('停用用户', { selector: 'td *' })).closest('tr')!;
    expect(within(row).getByText('mei')).toBeVisible();
    expect(within(row).getByText('boss')).toBeVisible();
    expect(within(row).getByText('spam')).toBeVisible();
    expect(within(row).getByText('10.0.0.7')).toBeVisible();
    const command = screen.getByText('充值积分', { selector: 'td *' }).closest('tr')!;
    expect(within(command).getByText('topup_credits')).toBeVisible();
    expect(within(command).getByText('命令')).toBeVisible();
  });

  it('searches on the server and clears again', async () => {
    const { user } = openApp('/manage/audit');
    await screen.findByText('停用用户', { selector: 'td *' });
    await user.type(screen.getByRole('searchbox', { name: '搜索名称开头' }), 'mei');
    await waitFor(() => expect(asked.at(-1)?.get('search')).toBe('mei'));
    await user.click(screen.getAllByRole('button', { name: '清除' }).at(-1)!);
    await waitFor(() => expect(screen.getByRole('searchbox')).toHaveValue(''));
  });

  it('shows what one administrator did', async () => {
    const { user } = openApp('/manage/audit');
    await user.click(await screen.findByRole('button', { name: 'boss' }));
    await waitFor(() => expect(asked.at(-1)?.get('actor')).toBe('admin-1'));
    expect(screen.getByText('仅显示 boss 的操作')).toBeVisible();
  });

  it('is not asked for a day whose year is still being typed', async () => {
    const { user } = openApp('/manage/audit');
    const from = await screen.findByLabelText('从');
    fireEvent.change(from, { target: { value: '2026-11-22' } });
    await waitFor(() => expect(asked.at(-1)?.get('date_from')).toBe('2026-11-22'));
    fireEvent.change(from, { target: { value: '0002-11-22' } });
    await user.type(screen.getByRole('searchbox'), 'x');
    await waitFor(() => expect(asked.at(-1)?.get('search')).toBe('x'));
    expect(asked.at(-1)?.get('date_from')).toBeNull();
  });
});

it("says what changed in the reader's language", async () => {
  server.use(
    http.get('/api/admin/audit', () =>
      HttpResponse.json({
        entries: [
          makeAuditEntry({
            details: { is_admin: false, credits: 200, status: 'cancelled', quota_mb_before: 5 },
          }),
        ],
        next_before: null,
      }),
    ),
  );
  openApp('/manage/audit');
  for (const text of ['管理员: 否', '积分: 200', '状态: 已取消', '存储配额（MB）（之前）: 5']) {
    expect(await screen.findByText(text)).toBeVisible();
  }
});

describe('detailsOf', () => {
  it('leaves out ids and what is empty', () => {
    const entry = makeAuditEntry({
      details: { batch_id: 'x', before: '', amount: 5, after: null },
    });
    expect(detailsOf(entry)).toEqual([['amount', '5']]);
  });
});
