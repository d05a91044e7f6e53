import { request } from '@/shared/api/client';
import { DirectUploadUnavailable, forgetUploads, uploadDirectly } from '@/shared/api/direct-upload';
import { ApiError, toApiError } from '@/shared/api/errors';
import { problemList, problemsOf } from '@/shared/api/problems';
import type { CreatedBatch, DryRun, FileProblem } from '@/shared/api/types';
import { upload } from '@/shared/api/upload';
import { pause } from '@/shared/lib/pause';

import { draftStore, unheardOf, type Draft } from './draft';

/** How often a server that is busy is asked again with the same key. */
const CREATE_TRIES = 8;
const CREATE_TIMEOUT_MS = 300_000;
const BUSY_PAUSE_S = 5;

export interface Sending {
  kind: 'check' | 'submit';
  sent: number;
  total: number;
  /** How much of each picture has left, 0 to 1. */
  shares: readonly number[];
}

/** The form as the API reads it; pictures first, in the order shown. */
export function formOf(draft: Draft): FormData {
  const form = new FormData();
  if (draft.prompt.trim()) form.append('prompt', draft.prompt.trim());
  if (draft.name.trim()) form.append('name', draft.name.trim());
  if (draft.engine) form.append('engine', draft.engine);
  for (const { file } of draft.images) if (file) form.append('images', file, file.name);
  if (draft.audio?.file) form.append('audio', draft.audio.file, draft.audio.file.name);
  return form;
}

/**
 * How much of each picture of a form has left: it sends them one after the other, so the bytes sent
 * so far say which are through. 0 to 1 each.
 */
export function shares(draft: Draft, sent: number): number[] {
  let before = 0;
  return draft.images.map(({ file }) => {
    const size = file?.size ?? 0;
    const share = size === 0 ? 1 : Math.min(1, Math.max(0, (sent - before) / size));
    before += size;
    return share;
  });
}

/** Pictures first, in the order shown; the recording last. */
function entriesOf(draft: Draft) {
  return draft.audio ? [...draft.images, draft.audio] : draft.images;
}

/** Of those, what has to be sent. */
export function filesOf(draft: Draft): File[] {
  return entriesOf(draft).flatMap(({ file }) => file ?? []);
}

export function bytesOf(draft: Draft): number {
  return filesOf(draft).reduce((sum, file) => sum + file.size, 0);
}

type Show = (sent: number, shares: readonly number[]) => void;
type Answer = CreatedBatch | DryRun;

function callOf(
  kind: Sending['kind'],
  draft: Draft,
): { path: string; headers: Record<string, string> } {
  return kind === 'check'
    ? { path: '/api/video/batch?dry_run=true', headers: {} }
    : { path: '/api/video/batch', headers: { 'Idempotency-Key': draft.key } };
}

/** Whether a batch may have been made all the same: nothing was answered, or not by who would have made it. */
export function isUnheard({ isPassing, status, code }: ApiError): boolean {
  if (code === 'aborted' || code === 'idempotency_in_flight') return true;
  return isPassing && status !== 429;
}

/**
 * Makes the call, and keeps with the draft that it was made until an answer is heard: should the page end, or
 * the answer be lost, only the same call again tells what came of it.
 */
async function noting(
  kind: Sending['kind'],
  { key }: Draft,
  names: readonly string[] | null,
  call: () => Promise<Answer>,
  hasLeft = () => true,
): Promise<Answer> {
  if (kind === 'check') return call();
  const before = draftStore.get().unheard;
  draftStore.setUnheard(key, { key, names });
  try {
    return await call();
  } catch (error) {
    const failure = toApiError(error);
    const { status } = failure;
    // Whoever is not let in, or did not send it all, learns nothing about earlier tries.
    const turnedAway = status === 0 ? !hasLeft() : [401, 403, 429].includes(status);
    if (turnedAway) draftStore.setUnheard(key, before);
    else if (!isUnheard(failure)) draftStore.setUnheard(key, null);
    throw error;
  }
}

/** The draft as one multipart form, for servers that take no direct uploads. */
function sendForm(kind: Sending['kind'], draft: Draft, signal: AbortSignal, show: Show) {
  const { path, headers } = callOf(kind, draft);
  let left = false;
  const onProgress = (sent: number, total: number) => {
    left = sent >= total;
    show(sent, shares(draft, sent));
  };
  const call = () => upload<Answer>(path, formOf(draft), { headers, signal, onProgress });
  return noting(kind, draft, null, call, () => left);
}

/** Files of a refused announcement, as a refused batch names them. */
function asBatchProblems(error: ApiError, draft: Draft): ApiError {
  const errors = error.body.errors;
  if (error.code !== 'invalid_uploads' || typeof errors !== 'object' || errors === null)
    return error;
  // What the server has already was not announced.
  const announced = entriesOf(draft).flatMap(({ file }, index) => (file ? index : []));
  const files = ('files' in errors ? problemList(errors.files) : []).map((problem) => ({
    ...problem,
    index: announced[problem.index ?? 0],
  }));
  const images = files.filter(({ index = 0 }) => index < draft.images.length);
  const audio = files.find(({ index }) => index === draft.images.length);
  const body = { ...error.body, errors: { images, ...(audio ? { audio } : {}) } };
  return new ApiError(error.status, error.code, error.detail, body);
}

/** The call that names the files by key; a busy server is asked again with the same Idempotency-Key. */
async function createByKeys(
  kind: Sending['kind'],
  draft: Draft,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<Answer> {
  const { path, headers } = callOf(kind, draft);
  const images = keys.slice(0, draft.images.length);
  const prompt = draft.prompt.trim();
  const name = draft.name.trim();
  const json = {
    images,
    audio: keys[images.length] ?? '',
    ...(prompt ? { prompt } : {}),
    ...(name ? { name } : {}),
    ...(draft.engine ? { engine: draft.engine } : {}),
  };
  for (let tries = 1; ; tries++) {
    try {
      const options = { json, headers, signal, timeoutMs: CREATE_TIMEOUT_MS };
      const call = () => request<Answer>(path, { method: 'POST', ...options });
      return await noting(kind, draft, keys, call);
    } catch (error) {
      const failure = toApiError(error);
      const busy = failure.status === 503 || failure.code === 'idempotency_in_flight';
      if (!busy || tries === CREATE_TRIES || signal.aborted) throw failure;
      await pause((failure.retryAfter ?? BUSY_PAUSE_S) * 1_000, signal);
    }
  }
}

/** The files that a refusal says have to be sent again. */
function stale(error: ApiError, draft: Draft): File[] {
  const { images, audio } = problemsOf(error);
  const again = ({ code }: FileProblem) => code.startsWith('upload_');
  const files = images.filter(again).flatMap(({ index }) => draft.images[index ?? -1]?.file ?? []);
  return audio && again(audio) && draft.audio?.file ? [...files, draft.audio.file] : files;
}

async function sendDirectly(
  kind: Sending['kind'],
  draft: Draft,
  signal: AbortSignal,
  show: Show,
): Promise<Answer> {
  const files = filesOf(draft);
  const onProgress = (sent: readonly number[]) => {
    const left = [...sent];
    const share = (file: File | null) => (file?.size ? (left.shift() ?? 0) / file.size : 1);
    show(
      sent.reduce((sum, bytes) => sum + bytes, 0),
      draft.images.map(({ file }) => share(file)),
    );
  };
  const namesNow = async () => {
    const uploaded = files.length > 0 ? await uploadDirectly(files, { signal, onProgress }) : [];
    return entriesOf(draft).map(({ stored }) => stored?.ref ?? uploaded.shift() ?? '');
  };
  const before = kind === 'submit' ? unheardOf(draft)?.names : null;
  for (let again = false; ; again = true) {
    // Those of an earlier page are on the server too, though this one did not upload them.
    const known = again ? null : before;
    if (known) onProgress(files.map(({ size }) => size));
    try {
      return await createByKeys(kind, draft, known ?? (await namesNow()), signal);
    } catch (error) {
      // Uploads of an earlier try that the server no longer has are sent once more.
      const lost = stale(toApiError(error), draft);
      if (again || lost.length === 0) throw error;
      forgetUploads(lost);
    }
  }
}

/**
 * Sends the draft. A broken connection leaves the draft and its key, so trying again is safe even
 * if the server had accepted it: the same key brings back the same batch.
 */
export async function send(
  kind: Sending['kind'],
  draft: Draft,
  signal: AbortSignal,
  show: Show,
): Promise<Answer> {
  // By the names of uploads, what was sent as a form would be another request.
  if (kind === 'submit' && unheardOf(draft)?.names === null)
    return sendForm(kind, draft, signal, show);
  try {
    return await sendDirectly(kind, draft, signal, show);
  } catch (error) {
    if (error instanceof DirectUploadUnavailable) {
      // A form carries files, and cannot name those that the server has.
      if (entriesOf(draft).some(({ stored }) => stored)) throw toApiError(error.cause);
      return sendForm(kind, draft, signal, show);
    }
    throw asBatchProblems(toApiError(error), draft);
  }
}
