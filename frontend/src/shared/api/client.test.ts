import { http, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';

import { problem, server } from '@/testing/server';

import { buildUrl, request } from './client';
import type { ApiError } from './errors';

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('should have failed');
    },
    (error: unknown) => error as ApiError,
  );

describe('request', () => {
  it('asks with the ETag it knows and reuses the body on 304', async () => {
    const seen: (string | null)[] = [];
    server.use(
      http.get('/api/thing', ({ request: incoming }) => {
        const known = incoming.headers.get('If-None-Match');
        seen.push(known);
        return known === '"v1"'
          ? new HttpResponse(null, { status: 304 })
          : HttpResponse.json({ n: 1 }, { headers: { ETag: '"v1"' } });
      }),
    );
    const first = await request('/api/thing');
    const second = await request('/api/thing');
    expect(seen).toEqual([null, '"v1"']);
    expect(second).toBe(first);
  });

  it('turns an error answer into its code, detail and figures', async () => {
    server.use(
      http.post('/api/thing', () =>
        problem(402, 'insufficient_credits', { required: 5, available: 2 }),
      ),
    );
    const error = await failureOf(request('/api/thing', { method: 'POST' }));
    expect(error).toMatchObject({ status: 402, code: 'insufficient_credits' });
    expect(error.body.required).toBe(5);
  });

  it('survives an HTML page from a proxy', async () => {
    server.use(
      http.get('/api/thing', () => new HttpResponse('<html>Bad gateway</html>', { status: 502 })),
    );
    expect(await failureOf(request('/api/thing'))).toMatchObject({ status: 502, code: 'http_502' });
    server.use(http.get('/api/thing', () => new HttpResponse('<html>', { status: 200 })));
    expect(await failureOf(request('/api/thing'))).toMatchObject({ code: 'bad_answer' });
  });

  it('tells a broken connection from a refusal', async () => {
    server.use(http.get('/api/thing', () => HttpResponse.error()));
    const error = await failureOf(request('/api/thing'));
    expect(error.isConnection).toBe(true);
  });

  it('sends the language and the token', async () => {
    localStorage.setItem('token', 'abc');
    server.use(
      http.get('/api/thing', ({ request: incoming }) =>
        HttpResponse.json({
          language: incoming.headers.get('Accept-Language'),
          authorization: incoming.headers.get('Authorization'),
        }),
      ),
    );
    expect(await request('/api/thing')).toEqual({
      language: 'zh-CN',
      authorization: 'Bearer abc',
    });
  });
});

describe('refreshing', () => {
  const old = { token: 'old', refresh_token: 'old-refresh', token_expires_at: '1' };

  it('goes on with what another tab saved while its own refresh was refused', async () => {
    for (const [name, value] of Object.entries(old)) localStorage.setItem(name, value);
    server.use(
      http.post('/api/auth/refresh', () => {
        localStorage.setItem('token', 'of-the-other-tab');
        localStorage.setItem('refresh_token', 'next-refresh');
        localStorage.setItem('token_expires_at', String(Date.now() + 3_600_000));
        return problem(401, 'token_used');
      }),
      http.get('/api/thing', ({ request: incoming }) =>
        HttpResponse.json({ authorization: incoming.headers.get('Authorization') }),
      ),
    );
    expect(await request('/api/thing')).toEqual({ authorization: 'Bearer of-the-other-tab' });
  });

  it('ends the session when the server refuses, and not when it asks to wait', async () => {
    for (const [name, value] of Object.entries(old)) localStorage.setItem(name, value);
    server.use(http.post('/api/auth/refresh', () => problem(429, 'too_many_attempts')));
    expect(await failureOf(request('/api/thing'))).toMatchObject({ status: 429 });
    expect(localStorage.getItem('token')).toBe('old');
    server.use(
      http.post('/api/auth/refresh', () => problem(401, 'token_used')),
      http.get('/api/thing', () => problem(401, 'not_authenticated')),
    );
    expect(await failureOf(request('/api/thing'))).toMatchObject({ status: 401 });
    expect(localStorage.getItem('token')).toBeNull();
  });
});

describe('buildUrl', () => {
  it('leaves out what is not set', () => {
    expect(buildUrl('/x', { a: 1, b: '', c: null, d: undefined, e: '批次' })).toBe(
      '/x?a=1&e=%E6%89%B9%E6%AC%A1',
    );
  });
});
