/** Multipart uploads with progress, which fetch cannot report. */
import { freshToken, languageHeader, recoverSession } from './client';
import { ApiError, errorFromAnswer } from './errors';

/** Without a byte moving for this long, the connection counts as broken. */
const STALL_MS = 60_000;

export interface UploadOptions {
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Bytes sent so far and in all, multipart framing included. */
  onProgress?: (sent: number, total: number) => void;
}

function post<T>(
  url: string,
  form: FormData,
  token: string | null,
  options: UploadOptions,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    let stalled = false;
    let timer = 0;
    const alive = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => {
        stalled = true;
        xhr.abort();
      }, STALL_MS);
    };
    const settle = (action: () => void) => {
      window.clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      action();
    };
    const onAbort = () => xhr.abort();

    xhr.open('POST', url);
    xhr.setRequestHeader('Accept', 'application/json');
    xhr.setRequestHeader('Accept-Language', languageHeader());
    if (token) xhr.setRequestHeader('Authorization', `Bearer ${token}`);
    for (const [name, value] of Object.entries(options.headers ?? {}))
      xhr.setRequestHeader(name, value);

    xhr.upload.onprogress = (event) => {
      alive();
      options.onProgress?.(event.loaded, event.lengthComputable ? event.total : 0);
    };
    xhr.onload = () =>
      settle(() => {
        if (xhr.status < 200 || xhr.status >= 300) {
          reject(
            errorFromAnswer(xhr.status, xhr.responseText, xhr.getResponseHeader('Retry-After')),
          );
          return;
        }
        try {
          resolve(JSON.parse(xhr.responseText) as T);
        } catch {
          reject(new ApiError(xhr.status, 'bad_answer', ''));
        }
      });
    xhr.onerror = () => settle(() => reject(new ApiError(0, 'network', '')));
    xhr.onabort = () => settle(() => reject(new ApiError(0, stalled ? 'timeout' : 'aborted', '')));

    if (options.signal?.aborted) {
      reject(new ApiError(0, 'aborted', ''));
      return;
    }
    options.signal?.addEventListener('abort', onAbort);
    alive();
    xhr.send(form);
  });
}

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
