import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';

import type { Batch, MailSettings, StorageUse } from '@/shared/api/types';

import { makeStatus, makeUser } from './data';
import { UploadServer } from './upload-server';

/** Takes direct uploads; tests look at what it has got and make it fail. */
export const uploads = new UploadServer();

const STORAGE: StorageUse = { used_bytes: 0, quota_bytes: null, retention_days: null };
const NO_LETTERS: MailSettings = {
  available: false,
  address: '',
  confirmed: false,
  when_done: false,
};

/** What every signed-in screen asks for; tests add the calls they are about. */
export const server = setupServer(
  ...uploads.handlers,
  http.get('/api/user/profile', () => HttpResponse.json(makeUser())),
  http.get('/api/video/batches', () => HttpResponse.json({ batches: [], total: 0 })),
  http.get('/api/engine/status', () => HttpResponse.json(makeStatus())),
  http.get('/api/video/storage', () => HttpResponse.json(STORAGE)),
  http.get('/api/user/mail', () => HttpResponse.json(NO_LETTERS)),
);

export function problem(status: number, code: string, extra: Record<string, unknown> = {}) {
  return HttpResponse.json({ detail: `(${code})`, code, ...extra }, { status });
}

/** Answers for the batch `batch-1` with what it is when it is asked for. */
export function serveBatch(batch: () => Batch): void {
  server.use(http.get('/api/video/batches/batch-1', () => HttpResponse.json(batch())));
}
