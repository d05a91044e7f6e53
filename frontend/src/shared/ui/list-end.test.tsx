import { fireEvent, screen, waitFor } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { makeAuditEntry, makeBatch, makeItem, makeUser } from '@/testing/data';
import { EagerObserver } from '@/testing/observers';
import { openApp } from '@/testing/render';
import { problem, server } from '@/testing/server';

const batch = (n: number) =>
  makeBatch([makeItem({ status: 'completed' })], { id: `b${n}`, name: `Batch ${n}` });
const entry = (n: number) => ({
  id: `e${n}`,
  kind: n % 2 ? 'topup' : 'grant',
  amount: 7,
  balance_after: 100 + n,
  note: `Entry ${n}`,
  batch_id: null,
  created_at: '2026-11-20T08:00:00Z',
});

const LISTS = [
  ['/batches', '/api/video/batches', (n: number) => ({ batches: [batch(n)], total: 2 }), 'Batch'],
  [
    '/manage/batches',
    '/api/admin/batches',
    (n: number) => ({ batches: [batch(n)], total: 2 }),
    'Batch',
  ],
  [
    '/manage/users',
    '/api/admin/users',
    (n: number) => ({ users: [makeUser({ id: `u${n}`, username: `User ${n}` })], total: 2 }),
    'User',
  ],
  [
    '/manage/audit',
    '/api/admin/audit',
    (n: number) => ({
      entries: [makeAuditEntry({ id: `a${n}`, reason: `Reason ${n}` })],
      next_before: n === 0 ? 1 : null,
    }),
    'Reason',
  ],
  ['/credits', '/api/user/credits', (n: number) => ({ entries: [entry(n)], total: 2 }), 'Entry'],
] as const;

beforeEach(() => {
  vi.stubGlobal('IntersectionObserver', EagerObserver);
  const profile = makeUser({ isAdmin: true, is_admin: true });
  server.use(http.get('/api/user/profile', () => HttpResponse.json(profile)));
});

describe('a page of a list that did not load', () => {
  it.each(LISTS)(
    'is told at the end of %s and loaded when asked',
    async (path, api, page, word) => {
      let refused = true;
      server.use(
        http.get(api, ({ request }) => {
          const query = new URL(request.url).searchParams;
          const later = Number(query.get('offset') ?? query.get('before') ?? 0) > 0;
          if (later && refused) return problem(403, 'permission_denied');
          return HttpResponse.json(page(later ? 1 : 0));
        }),
      );
      openApp(path);
      expect((await screen.findAllByRole('alert'))[0]).toHaveTextContent('没有权限做这件事。');
      expect(screen.getAllByText(new RegExp(`${word} 0`))[0]).toBeVisible();
      refused = false;
      // A balance that comes now has the ledger read anew, and the first button is gone before it is pressed.
      await waitFor(() => {
        const [again] = screen.queryAllByRole('button', { name: '重试' });
        if (again) fireEvent.click(again);
        expect(screen.getAllByText(new RegExp(`${word} 1`))[0]).toBeVisible();
      });
      await waitFor(() => expect(screen.queryByRole('alert')).not.toBeInTheDocument());
    },
  );
});
