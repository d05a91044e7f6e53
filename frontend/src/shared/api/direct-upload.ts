/**
 * Files sent to the store ahead of the call that uses them: announced, PUT in parts of which each is
 * retried alone, and named by key from then on. What has arrived is remembered with the file, so that
 * a second try after a lost connection sends only what is missing.
 */
import { pause, whenOnline } from '@/shared/lib/pause';

import { request } from './client';
import { ApiError, toApiError } from './errors';
import type { DirectUpload, UploadPart } from './types';
import { sendBody } from './upload';

const PARTS_AT_ONCE = 4;
const TRIES = 5;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;
/** How long a lost network is waited for. */
const OFFLINE_MS = 600_000;

const UPLOADS = '/api/video/uploads';
const TYPES: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
};

export interface DirectUploadOptions {
  signal?: AbortSignal;
  /** Bytes that have left so far, for each file. */
  onProgress?: (sent: readonly number[]) => void;
}

/** Direct uploads do not work here; the same files can still be sent as a form. */
export class DirectUploadUnavailable extends Error {}

interface Known {
  upload: DirectUpload;
  /** Numbers of the parts that have arrived. */
  arrived: Set<number>;
}

let known = new WeakMap<File, Known>();
/** This browser cannot reach the store: not asked again until the page is loaded anew. */
let unreachable: ApiError | null = null;

/** Forgets what was sent of these files: their keys are used, or refused. */
export function forgetUploads(files: Iterable<File>): void {
  for (const file of files) known.delete(file);
}

/** For tests, which share one page. */
export function forgetEverything(): void {
  known = new WeakMap();
  unreachable = null;
}

/** What a file is, by the type the browser gives it or, failing that, by its name. */
export function contentTypeOf(file: File): string {
  if (
    Object.values(TYPES).includes(file.type) ||
    /^audio\/(mp3|wave|x-wav|vnd\.wave)$/.test(file.type)
  )
    return file.type;
  const ending = file.name.slice(file.name.lastIndexOf('.') + 1).toLowerCase();
  return TYPES[ending] ?? (file.type || 'application/octet-stream');
}

async function announce(files: readonly File[], signal?: AbortSignal): Promise<void> {
  const body = {
    files: files.map((file) => ({
      name: file.name,
      size: file.size,
      content_type: contentTypeOf(file),
    })),
  };
  try {
    const answer = await request<{ uploads: DirectUpload[] }>(UPLOADS, {
      method: 'POST',
      json: body,
      signal,
    });
    answer.uploads.forEach((upload, index) => {
      const file = files[index];
      if (file) known.set(file, { upload, arrived: new Set() });
    });
  } catch (error) {
    const { status, code } = toApiError(error);
    // An older server, or one that already keeps as much for this user as it may.
    if (status === 404 || status === 405 || code === 'too_many_uploads')
      throw new DirectUploadUnavailable('', { cause: error });
    throw error;
  }
}

/** Asks which parts are there, and for fresh addresses; false when the upload is gone. */
async function refresh(file: File, signal?: AbortSignal): Promise<boolean> {
  const entry = known.get(file);
  if (!entry) return false;
  try {
    const upload = await request<DirectUpload>(`${UPLOADS}/${entry.upload.key}`, { signal });
    const arrived = upload.parts.filter(({ received }) => received).map(({ number }) => number);
    known.set(file, { upload, arrived: new Set(arrived) });
    return true;
  } catch (error) {
    if (toApiError(error).status !== 404) throw error;
    known.delete(file);
    return false;
  }
}

/** Makes every file known to the server, those of an earlier try with what had arrived of them. */
async function prepare(files: readonly File[], signal?: AbortSignal): Promise<void> {
  const fresh: File[] = [];
  for (const file of files) {
    const entry = known.get(file);
    if (!entry) fresh.push(file);
    else if (entry.arrived.size < entry.upload.parts.length && !(await refresh(file, signal)))
      fresh.push(file);
  }
  if (fresh.length > 0) await announce(fresh, signal);
}

const isElsewhere = (url: string) => new URL(url, location.href).origin !== location.origin;

async function sendPart(
  file: File,
  number: number,
  onProgress: (sent: number) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const entry = known.get(file);
    const part: UploadPart | undefined = entry?.upload.parts[number - 1];
    if (!entry || !part) throw new ApiError(404, 'upload_unknown', '');
    if (entry.arrived.has(number)) return;
    await whenOnline(OFFLINE_MS, signal);
    try {
      // The blob's own type would be sent beside the one that is signed.
      const piece = file.slice(
        part.offset,
        part.offset + part.size,
        entry.upload.headers['Content-Type'],
      );
      await sendBody('PUT', part.url, piece, {
        headers: entry.upload.headers,
        signal,
        stallMs: 60_000,
        onProgress: (sent) => onProgress(Math.min(sent, part.size)),
      });
      entry.arrived.add(number);
      return;
    } catch (error) {
      const failure = toApiError(error);
      onProgress(0);
      if (tries >= TRIES || signal.aborted) throw failure;
      if (failure.status === 403 || failure.status === 404 || failure.status === 409) {
        // The address has expired, or the part is there and the file closed; the server knows.
        if (!(await refresh(file, signal))) throw failure;
      } else if (!failure.isPassing) {
        throw failure;
      }
      const wait = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
      await pause(
        Math.max(wait, (failure.retryAfter ?? 0) * 1_000) * (0.75 + Math.random() / 2),
        signal,
      );
    }
  }
}

/** Sends what is missing of all files, a few parts at a time; the first failure stops the others. */
async function sendAll(files: readonly File[], options: DirectUploadOptions): Promise<void> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const moving = new Map<string, number>();
  const report = () => {
    options.onProgress?.(
      files.map((file, index) => {
        const entry = known.get(file);
        if (!entry) return 0;
        const parts = entry.upload.parts.map(({ number, size }) =>
          entry.arrived.has(number) ? size : (moving.get(`${index}/${number}`) ?? 0),
        );
        return parts.reduce((sum, bytes) => sum + bytes, 0);
      }),
    );
  };
  const waiting = files.flatMap((file, index) =>
    (known.get(file)?.upload.parts ?? []).map(({ number }) => ({ file, index, number })),
  );
  report();
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { file, index, number } = next;
      const onProgress = (sent: number) => {
        moving.set(`${index}/${number}`, sent);
        report();
      };
      await sendPart(file, number, onProgress, signal);
      report();
    }
  };
  try {
    await Promise.all(Array.from({ length: PARTS_AT_ONCE }, work));
  } catch (error) {
    stop.abort();
    throw error;
  }
}

/**
 * Sends files to the store; resolves to their keys, in order. Throws `DirectUploadUnavailable` when a
 * form has to do instead.
 */
export async function uploadDirectly(
  files: readonly File[],
  options: DirectUploadOptions = {},
): Promise<string[]> {
  if (unreachable) throw new DirectUploadUnavailable('', { cause: unreachable });
  await prepare(files, options.signal);
  try {
    await sendAll(files, options);
  } catch (error) {
    const failure = toApiError(error);
    const elsewhere = files.some((file) => isElsewhere(known.get(file)?.upload.url ?? ''));
    const nothing = files.every((file) => (known.get(file)?.arrived.size ?? 0) === 0);
    // A store that takes no single byte while we are online: its CORS rules, or a firewall.
    if (failure.isConnection && elsewhere && nothing && navigator.onLine) {
      unreachable = failure;
      throw new DirectUploadUnavailable('', { cause: failure });
    }
    throw failure;
  }
  return files.map((file) => known.get(file)?.upload.key ?? '');
}
