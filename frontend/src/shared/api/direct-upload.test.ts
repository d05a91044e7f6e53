import { http, HttpResponse } from 'msw';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { server, uploads } from '@/testing/server';

import { contentTypeOf, DirectUploadUnavailable, uploadDirectly } from './direct-upload';
import { toApiError } from './errors';

const file = (name: string, size: number, type = 'image/png') =>
  new File([new Uint8Array(size)], name, { type });

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('should have failed');
    },
    (error: unknown) => error,
  );

beforeEach(() => {
  // Pauses between tries take no time.
  const original = window.setTimeout.bind(window);
  vi.spyOn(window, 'setTimeout').mockImplementation(((run: () => void, ms = 0) =>
    original(run, ms < 50_000 ? 0 : ms)) as typeof window.setTimeout);
});

afterEach(() => vi.restoreAllMocks());

describe('uploadDirectly', () => {
  it('sends every part of every file once and reports its way', async () => {
    const seen: number[][] = [];
    const keys = await uploadDirectly([file('a.png', 20), file('b.png', 5)], {
      onProgress: (sent) => seen.push([...sent]),
    });
    expect(keys).toEqual(['key-1', 'key-2']);
    expect([...uploads.puts].sort()).toEqual(['a.png/1', 'a.png/2', 'a.png/3', 'b.png/1']);
    expect(seen[0]).toEqual([0, 0]);
    expect(seen.at(-1)).toEqual([20, 5]);
  });

  it('retries a part alone', async () => {
    let failures = 0;
    uploads.beforePart = (part) => {
      if (part !== 'a.png/2' || ++failures > 2) return undefined;
      return failures === 1 ? HttpResponse.error() : new HttpResponse(null, { status: 503 });
    };
    await uploadDirectly([file('a.png', 20)]);
    expect(failures).toBe(3);
    expect([...uploads.puts].sort()).toEqual(['a.png/1', 'a.png/2', 'a.png/3']);
  });

  it('asks for a new address when the old one has expired', async () => {
    let refused = 0;
    uploads.beforePart = () =>
      ++refused === 1 ? new HttpResponse(null, { status: 403 }) : undefined;
    await uploadDirectly([file('a.png', 5)]);
    expect(uploads.puts).toEqual(['a.png/1']);
  });

  it('sends only what is missing when it is called again', async () => {
    let broken = true;
    uploads.beforePart = (part) =>
      broken && part === 'a.png/3' ? HttpResponse.error() : undefined;
    const picture = file('a.png', 20);
    const failure = toApiError(await failureOf(uploadDirectly([picture])));
    expect(failure.isConnection).toBe(true);
    broken = false;
    uploads.puts = [];
    expect(await uploadDirectly([picture])).toEqual(['key-1']);
    expect(uploads.puts).toEqual(['a.png/3']);
  });

  it('begins anew when the server has forgotten the file', async () => {
    const picture = file('a.png', 20);
    uploads.beforePart = () => HttpResponse.error();
    await failureOf(uploadDirectly([picture]));
    uploads.forget('key-1');
    uploads.beforePart = () => undefined;
    expect(await uploadDirectly([picture])).toEqual(['key-2']);
  });

  it('stops at once when it is given up', async () => {
    const controller = new AbortController();
    uploads.beforePart = () => {
      controller.abort();
      return undefined;
    };
    const failure = toApiError(
      await failureOf(uploadDirectly([file('a.png', 80)], { signal: controller.signal })),
    );
    expect(failure.code).toBe('aborted');
    expect(uploads.puts.length).toBeLessThan(10);
  });

  it('gives up a store that takes no byte, and does not try it again', async () => {
    uploads.origin = 'https://store.test';
    let tried = 0;
    uploads.beforePart = () => {
      tried += 1;
      return HttpResponse.error();
    };
    expect(await failureOf(uploadDirectly([file('a.png', 5)]))).toBeInstanceOf(
      DirectUploadUnavailable,
    );
    const before = tried;
    expect(await failureOf(uploadDirectly([file('b.png', 5)]))).toBeInstanceOf(
      DirectUploadUnavailable,
    );
    expect(tried).toBe(before);
  });

  it('leaves the form to servers without it and to users with too much in waiting', async () => {
    for (const [status, code] of [
      [404, 'not_found'],
      [409, 'too_many_uploads'],
    ] as const) {
      server.use(
        http.post('/api/video/uploads', () => HttpResponse.json({ detail: 'x', code }, { status })),
      );
      expect(await failureOf(uploadDirectly([file('a.png', 5)]))).toBeInstanceOf(
        DirectUploadUnavailable,
      );
    }
  });
});

describe('contentTypeOf', () => {
  it('goes by the type, and by the name where there is none', () => {
    expect(contentTypeOf(file('a.png', 1, 'image/png'))).toBe('image/png');
    expect(contentTypeOf(file('a.MP3', 1, ''))).toBe('audio/mpeg');
    expect(contentTypeOf(file('a.wav', 1, 'audio/x-wav'))).toBe('audio/x-wav');
    expect(contentTypeOf(file('a', 1, ''))).toBe('application/octet-stream');
  });
});
