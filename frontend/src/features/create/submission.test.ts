import { http } from 'msw';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError } from '@/shared/api/errors';
import { problemsOf } from '@/shared/api/problems';
import { problem, server } from '@/testing/server';

import { draftStore, unheardOf } from './draft';
import { formOf, send, shares } from './send';

const file = (name: string, size: number) =>
  new File([new Uint8Array(size)], name, { type: 'image/png' });

beforeEach(() => draftStore.clear());

describe('formOf', () => {
  it('sends the pictures in the order shown and the trimmed prompt', () => {
    draftStore.addImages([file('a.png', 1), file('b.png', 1)]);
    draftStore.moveImage(draftStore.get().images[1]!.id, 0);
    draftStore.setPrompt('  smile ');
    const form = formOf(draftStore.get());
    expect(form.getAll('images').map((entry) => (entry as File).name)).toEqual(['b.png', 'a.png']);
    expect(form.get('prompt')).toBe('smile');
  });
});

/** Sends so many of 100 bytes, then breaks. */
function breakingAfter(sent: number) {
  return class {
    upload: { onprogress?: (event: ProgressEvent) => void } = {};
    onerror = () => {};
    open() {}
    setRequestHeader() {}
    send() {
      const facts = { loaded: sent, total: 100, lengthComputable: true };
      this.upload.onprogress?.(new ProgressEvent('progress', facts));
      this.onerror();
    }
  };
}

describe('a form whose connection broke', () => {
  it.each([
    ['may have been taken if all of it had left', 100, true],
    ['was not taken if something was missing', 99, false],
  ])('%s', async (_what, sent, taken) => {
    server.use(http.post('/api/video/uploads', () => problem(404, 'not_found')));
    const real = XMLHttpRequest;
    vi.stubGlobal('XMLHttpRequest', breakingAfter(sent));
    draftStore.addImages([file('a.png', 90)]);
    const { signal } = new AbortController();
    await expect(send('submit', draftStore.get(), signal, () => undefined)).rejects.toThrow();
    vi.stubGlobal('XMLHttpRequest', real);
    const { key } = draftStore.get();
    expect(unheardOf(draftStore.get())).toEqual(taken ? { key, names: null } : null);
  });
});

describe('shares', () => {
  it('fills the pictures one after the other', () => {
    draftStore.addImages([file('a.png', 100), file('b.png', 100), file('c.png', 100)]);
    expect(shares(draftStore.get(), 150)).toEqual([1, 0.5, 0]);
  });
});

describe('problemsOf', () => {
  it('reads the bad files of a rejected batch', () => {
    const error = new ApiError(422, 'invalid_batch', 'x', {
      errors: {
        images: [{ index: 1, name: 'b.png', code: 'no_face', detail: 'No face.' }],
        audio: { name: 'a.mp3', code: 'silent', detail: 'Silence.' },
      },
    });
    expect(problemsOf(error).images[0]).toMatchObject({ index: 1, code: 'no_face' });
    expect(problemsOf(error).audio?.code).toBe('silent');
  });

  it('copes with errors of another shape', () => {
    expect(
      problemsOf(new ApiError(400, 'invalid', '', { errors: { prompt: ['too long'] } })),
    ).toEqual({
      images: [],
      audio: null,
    });
    expect(problemsOf(new ApiError(402, 'insufficient_credits', ''))).toEqual({
      images: [],
      audio: null,
    });
  });
});

describe('the submission key', () => {
  it('stays while the content stays and changes with it', () => {
    draftStore.addImages([file('a.png', 1)]);
    const key = draftStore.get().key;
    draftStore.markProblems([{ index: 0, code: 'no_face', detail: '' }], null);
    expect(draftStore.get().key).toBe(key);
    expect(draftStore.get().images[0]?.problem?.code).toBe('no_face');
    draftStore.setPrompt('nod');
    expect(draftStore.get().key).not.toBe(key);
  });

  it('goes with what is known of its submission, and so with any change', () => {
    draftStore.addImages([file('a.png', 1)]);
    const { key } = draftStore.get();
    const unheard = { key, names: ['key-1'] };
    draftStore.setUnheard('another', { ...unheard, key: 'another' });
    expect(unheardOf(draftStore.get())).toBeNull();
    draftStore.setUnheard(key, unheard);
    expect(unheardOf(draftStore.get())).toEqual(unheard);
    draftStore.setName('spring');
    expect(unheardOf(draftStore.get())).toBeNull();
  });

  it('is new after another user signs in, and so is the draft', () => {
    draftStore.claim('u1');
    draftStore.addImages([file('a.png', 1)]);
    draftStore.claim('u1');
    expect(draftStore.get().images).toHaveLength(1);
    draftStore.claim('u2');
    expect(draftStore.get().images).toHaveLength(0);
  });
});

describe('adding pictures', () => {
  it('takes 50 and says how many were left out', () => {
    draftStore.addImages(Array.from({ length: 53 }, (_, n) => file(`${n}.png`, 1)));
    expect(draftStore.get().images).toHaveLength(50);
    expect(draftStore.get().leftOut).toBe(3);
  });
});
