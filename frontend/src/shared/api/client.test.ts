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

describe('buildUrl', () => {
  it('leaves out what is not set', () => {
    expect(buildUrl('/x', { a: 1, b: '', c: null, d: undefined, e: '批次' })).toBe(
      '/x?a=1&e=%E6%89%B9%E6%AC%A1',
    );
  });
});
