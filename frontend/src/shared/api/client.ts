/**
 * The one HTTP client. It adds the token, refreshes it silently, keeps ETags so that polling costs
 * little, and turns every failure into an ApiError.
 */
import { reportReachable, reportUnreachable } from '../lib/connection';
import { ApiError, errorFromAnswer, toApiError } from './errors';
import { clearTokens, readTokens, saveTokens } from './tokens';
import type { SessionTokens } from './types';

const TIMEOUT_MS = 30_000;
/** A token that expires within this time is refreshed before it is used. */
const REFRESH_AHEAD_MS = 30_000;
const ETAG_CACHE_SIZE = 60;

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  query?: Query;
  json?: unknown;
  form?: FormData;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Login and refresh: no token is sent, and a 401 does not end the session. */
  anonymous?: boolean;
}

const etags = new Map<string, { etag: string; body: unknown }>();
let language = 'zh-CN';

/** The language the server words its messages in. */
export function setClientLanguage(tag: string): void {
  language = tag;
  etags.clear();
}

export function forgetAnswers(): void {
  etags.clear();
}

export function buildUrl(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

let refreshing: Promise<boolean> | null = null;

async function refreshOnce(used: string): Promise<boolean> {
  const tokens = readTokens();
  // Another tab was faster: its new token serves us as well.
  if (tokens && tokens.token !== used) return true;
  if (!tokens?.refresh) return false;
  try {
    const answer = await send<SessionTokens>('/api/auth/refresh', {
      method: 'POST',
      json: { refresh: tokens.refresh },
      anonymous: true,
    });
    saveTokens(answer);
    return true;
  } catch (error) {
    // Only a refusal ends the session; a broken connection or a busy server must not sign anybody out.
    if (toApiError(error).isPassing) throw error;
    // Without locks (plain HTTP) tabs do race: what the other one saved meanwhile is good.
    const now = readTokens();
    return now !== null && now.refresh !== tokens.refresh;
  }
}

/** Refresh tokens can be used once, so tabs take turns and calls of one tab share a refresh. */
function refreshTokens(used: string): Promise<boolean> {
  refreshing ??= (async () => {
    try {
      return 'locks' in navigator
        ? await navigator.locks.request('zhiying-refresh', () => refreshOnce(used))
        : await refreshOnce(used);
    } finally {
      refreshing = null;
    }
  })();
  return refreshing;
}

/** A token that will last for the next call, or null when nobody is signed in. */
export async function freshToken(): Promise<string | null> {
  const tokens = readTokens();
  if (!tokens) return null;
  const expiresSoon = tokens.expiresAt !== null && tokens.expiresAt - Date.now() < REFRESH_AHEAD_MS;
  if (!expiresSoon || !tokens.refresh) return tokens.token;
  if (!(await refreshTokens(tokens.token))) {
    clearTokens();
    return null;
  }
  return readTokens()?.token ?? null;
}

/** After a 401: true when another try with a new token makes sense; otherwise the session is over. */
export async function recoverSession(usedToken: string): Promise<boolean> {
  if (await refreshTokens(usedToken)) return true;
  clearTokens();
  return false;
}

export function languageHeader(): string {
  return language;
}

async function send<T>(path: string, options: RequestOptions, token?: string | null): Promise<T> {
  const method = options.method ?? 'GET';
  const url = buildUrl(path, options.query);
  const headers = new Headers({
    Accept: 'application/json',
    'Accept-Language': language,
    ...options.headers,
  });
  if (token) headers.set('Authorization', `Bearer ${token}`);
  if (options.json !== undefined) headers.set('Content-Type', 'application/json');
  const known = method === 'GET' ? etags.get(url) : undefined;
  if (known) headers.set('If-None-Match', known.etag);

  const timeout = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      headers,
      body: options.json !== undefined ? JSON.stringify(options.json) : options.form,
      signal,
    });
    text = await response.text();
    reportReachable();
  } catch (error) {
    if (options.signal?.aborted) throw new ApiError(0, 'aborted', '');
    reportUnreachable();
    if (timeout.aborted) throw new ApiError(0, 'timeout', '');
    throw toApiError(error);
  }

  if (response.status === 304 && known) return known.body as T;
  if (!response.ok)
    throw errorFromAnswer(response.status, text, response.headers.get('Retry-After'));
  if (text === '') return undefined as T;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ApiError(response.status, 'bad_answer', '');
  }
  const etag = response.headers.get('ETag');
  if (method === 'GET' && etag) {
    etags.delete(url);
    etags.set(url, { etag, body });
    const oldest = etags.keys().next().value;
    if (etags.size > ETAG_CACHE_SIZE && oldest !== undefined) etags.delete(oldest);
  }
  return body as T;
}

export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  if (options.anonymous) return send<T>(path, options);
  const token = await freshToken();
  try {
    return await send<T>(path, options, token);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    if (token === null || !(await recoverSession(token))) {
      clearTokens();
      throw error;
    }
    return send<T>(path, options, readTokens()?.token);
  }
}
