/** Sending files with progress, which fetch cannot report. */
import { freshToken, languageHeader, recoverSession } from './client';
import { ApiError, errorFromAnswer, type LocalCode } from './errors';

/** Without a byte moving for this long, the connection counts as broken. */
const STALL_MS = 60_000;
/** How long an answer may take once all bytes have left: the files are decoded in this time. */
const ANSWER_MS = 300_000;

export interface UploadOptions {
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Bytes sent so far and in all, multipart framing included. */
  onProgress?: (sent: number, total: number) => void;
}

/** One request with a body; resolves to the text of a successful answer. */
export function sendBody(
  method: string,
  url: string,
  body: FormData | Blob,
  options: UploadOptions & { stallMs?: number } = {},
): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    if (options.signal?.aborted) {
      reject(new ApiError(0, 'aborted', ''));
      return;
    }
    const xhr = new XMLHttpRequest();
    let timer = 0;
    let settled = false;
    const alive = (ms: number) => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => giveUp('timeout'), ms);
    };
    const stallMs = options.stallMs ?? STALL_MS;
    const onAbort = () => giveUp('aborted');
    const settle = (action: () => void) => {
      settled = true;
      window.clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      action();
    };

    // Told here, not by the abort event, which not every browser sends for a request that never began.
    const giveUp = (code: LocalCode) =>
      settle(() => {
        reject(new ApiError(0, code, ''));
        xhr.abort();
      });

    xhr.open(method, url);
    for (const [name, value] of Object.entries(options.headers ?? {}))
      xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = (event) => {
      // An event that was under way already must not report progress of what has ended.
      if (settled) return;
      alive(stallMs);
      options.onProgress?.(event.loaded, event.lengthComputable ? event.total : 0);
    };
    xhr.upload.onload = () => {
      if (!settled) alive(options.stallMs ?? ANSWER_MS);
    };
    xhr.onload = () =>
      settle(() => {
        if (xhr.status >= 200 && xhr.status < 300) {
          resolve(xhr.responseText);
          return;
        }
        const wait = xhr.getResponseHeader('Retry-After');
        reject(errorFromAnswer(xhr.status, xhr.responseText, wait));
      });
    xhr.onerror = () => settle(() => reject(new ApiError(0, 'network', '')));
    options.signal?.addEventListener('abort', onAbort);
    alive(stallMs);
    xhr.send(body);
  });
}

async function post<T>(
  url: string,
  form: FormData,
  token: string | null,
  options: UploadOptions,
): Promise<T> {
  const headers: Record<string, string> = {
    Accept: 'application/json',
    'Accept-Language': languageHeader(),
    ...options.headers,
  };
  if (token) headers.Authorization = `Bearer ${token}`;
  const text = await sendBody('POST', url, form, { ...options, headers });
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiError(200, 'bad_answer', '');
  }
}

/** A whole form in one request. */
export async function upload<T>(
  url: string,
  form: FormData,
  options: UploadOptions = {},
): Promise<T> {
  const token = await freshToken();
  try {
    return await post<T>(url, form, token, options);
  } catch (error) {
    const expired = error instanceof ApiError && error.status === 401 && token !== null;
    if (!expired || !(await recoverSession(token))) throw error;
    return post<T>(url, form, await freshToken(), options);
  }
}
