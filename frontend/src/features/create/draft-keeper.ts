/**
 * Keeps the draft in the browser's own database, files included, so that it outlives reloads, crashes and
 * deployments. Each file is written once; what changes often is a small record of names and order.
 */
import { clear, createStore, delMany, get, getMany, keys, set, type UseStore } from 'idb-keyval';

import { draftStore, unheardOf, type Draft, type Kept, type Unheard } from './draft';
import { refreshed, type StoredFile } from './stored';

const RECORD = 'draft';
const SAVE_AFTER_MS = 300;

interface KeptDraft {
  owner: string;
  key: string;
  prompt: string;
  /** Drafts of earlier releases have none. */
  name?: string;
  engine?: string;
  unheard?: Unheard | null;
  /** Keys of files, or what the server has. */
  images: (string | StoredFile)[];
  audio: string | StoredFile | null;
}

let store: UseStore | null = null;
let owner: string | null = null;
let timer: number | undefined;
let saving: Promise<void> = Promise.resolve();

function database(): UseStore | null {
  // A private window may have no database: then the draft lives as long as the page.
  if (store === null && typeof indexedDB !== 'undefined') store = createStore('zhiying', 'draft');
  return store;
}

function recordOf(draft: Draft, user: string): KeptDraft {
  return {
    owner: user,
    key: draft.key,
    prompt: draft.prompt,
    name: draft.name,
    engine: draft.engine,
    unheard: unheardOf(draft),
    images: draft.images.map(({ stored, fileKey }) => stored ?? fileKey),
    audio: draft.audio ? (draft.audio.stored ?? draft.audio.fileKey) : null,
  };
}

async function save(): Promise<void> {
  const db = database();
  if (db === null || owner === null) return;
  const draft = draftStore.get();
  // A recording that is being decoded is not part of the draft yet: the last record stays true.
  if (draft.audioLoading) return;
  const record = recordOf(draft, owner);
  const files = new Map<string, File>();
  for (const { fileKey, file } of [...draft.images, ...(draft.audio ? [draft.audio] : [])])
    if (file) files.set(fileKey, file);
  const present = new Set(await keys<string>(db));
  for (const [key, file] of files) if (!present.has(key)) await set(key, file, db);
  await set(RECORD, record, db);
  const unneeded = [...present].filter((key) => key !== RECORD && !files.has(key));
  if (unneeded.length > 0) await delMany(unneeded, db);
}

/** A failing database costs the copy, not the draft. */
function saveNow(): void {
  window.clearTimeout(timer);
  timer = undefined;
  saving = saving.then(save).catch(() => undefined);
}

/** Saves once the last change is a moment old; a draft that was sent is gone at once. */
function saveSoon(): void {
  window.clearTimeout(timer);
  if (draftStore.isEmpty()) saveNow();
  else timer = window.setTimeout(saveNow, SAVE_AFTER_MS);
}

async function restore(user: string): Promise<void> {
  const db = database();
  if (db === null) return;
  const record = await get<KeptDraft>(RECORD, db);
  if (record === undefined) return;
  if (record.owner !== user) return clear(db);
  if (!draftStore.isEmpty()) return;
  const entries = [...record.images, ...(record.audio ? [record.audio] : [])];
  const wanted = entries.filter((entry) => typeof entry === 'string');
  const files = await getMany<File | undefined>(wanted, db);
  const found = new Map(wanted.map((key, index) => [key, files[index]]));
  const stored = entries.filter((entry) => typeof entry !== 'string');
  const kept = (entry: string | StoredFile): Kept[] => {
    if (typeof entry !== 'string') return [{ stored: entry }];
    const file = found.get(entry);
    return file ? [{ key: entry, file }] : [];
  };
  await draftStore.restore({
    images: record.images.flatMap(kept),
    audio: (record.audio ? kept(record.audio)[0] : null) ?? null,
    prompt: record.prompt,
    name: record.name ?? '',
    engine: record.engine ?? '',
    unheard: record.unheard ?? null,
    // Of an incomplete copy another batch would be made, so it needs another key.
    key: found.size === wanted.length && !files.includes(undefined) ? record.key : null,
  });
  if (stored.length > 0) void refreshed(stored).then((fresh) => draftStore.refreshStored(fresh));
}

/** Brings back this user's draft, then keeps it from now on; resolves once it is back. */
export function keepDraft(user: string): Promise<void> {
  if (owner === user) return saving;
  const first = owner === null;
  owner = user;
  // While an earlier page's draft is being read, nothing may be written over it.
  saving = saving.then(() => restore(user)).catch(() => undefined);
  const restored = saving;
  if (!first) return restored;
  draftStore.subscribe(saveSoon);
  // The page may not come back from being hidden: what was not written yet is written now.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden && timer !== undefined) saveNow();
  });
  return restored;
}
