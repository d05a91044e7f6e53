import { afterAll, beforeEach, expect, it, vi } from 'vitest';

const kept = vi.hoisted(() => new Map<string, unknown>());

// jsdom has no database.
vi.mock('idb-keyval', () => ({
  createStore: () => ({}),
  clear: () => Promise.resolve(kept.clear()),
  get: (key: string) => Promise.resolve(kept.get(key)),
  getMany: (keys: string[]) => Promise.resolve(keys.map((key) => kept.get(key))),
  keys: () => Promise.resolve([...kept.keys()]),
  set: (key: string, value: unknown) => Promise.resolve(void kept.set(key, value)),
  delMany: (keys: string[]) => Promise.resolve(keys.forEach((key) => kept.delete(key))),
}));

beforeEach(() => {
  kept.clear();
  vi.stubGlobal('indexedDB', {});
});

// Other files of tests share this world: they get modules of their own, without a database.
afterAll(() => {
  vi.doUnmock('idb-keyval');
  vi.stubGlobal('indexedDB', undefined);
  vi.resetModules();
});

/** The draft as a page that was just loaded finds it. */
async function load() {
  vi.resetModules();
  const { draftStore, unheardOf } = await import('./draft');
  const { keepDraft } = await import('./draft-keeper');
  await keepDraft('u1');
  return { draftStore, unheard: () => unheardOf(draftStore.get()) };
}

it('keeps that a submission was not answered, until something else would be sent', async () => {
  const first = await load();
  first.draftStore.addImages([new File(['picture'], 'a.png', { type: 'image/png' })]);
  const { key } = first.draftStore.get();
  first.draftStore.setUnheard(key, { key, names: ['key-1', 'key-2'] });
  await vi.waitFor(() => expect(kept.get('draft')).toMatchObject({ unheard: { key } }));

  const second = await load();
  expect(second.draftStore.get()).toMatchObject({ key, images: [{ name: 'a.png' }] });
  expect(second.unheard()).toEqual({ key, names: ['key-1', 'key-2'] });
  second.draftStore.setPrompt('smile');
  await vi.waitFor(() => expect(kept.get('draft')).toMatchObject({ prompt: 'smile' }));

  expect((await load()).unheard()).toBeNull();
});
