/** Where the session's tokens live: localStorage, so that all tabs share them. */

const TOKEN = 'token';
const REFRESH = 'refresh_token';
const EXPIRES = 'token_expires_at';

export interface Tokens {
  token: string;
  refresh: string | null;
  /** Milliseconds since the epoch. */
  expiresAt: number | null;
}

type Listener = (tokens: Tokens | null) => void;
const listeners = new Set<Listener>();

export function readTokens(): Tokens | null {
  const token = localStorage.getItem(TOKEN);
  if (!token) return null;
  const expires = Number(localStorage.getItem(EXPIRES));
  return {
    token,
    refresh: localStorage.getItem(REFRESH),
    expiresAt: Number.isFinite(expires) && expires > 0 ? expires : null,
  };
}

function announce(): void {
  const tokens = readTokens();
  for (const listener of listeners) listener(tokens);
}

export function saveTokens(answer: { token: string; refresh?: string; expires_in?: number }): void {
  localStorage.setItem(TOKEN, answer.token);
  if (answer.refresh) localStorage.setItem(REFRESH, answer.refresh);
  if (answer.expires_in) {
    localStorage.setItem(EXPIRES, String(Date.now() + answer.expires_in * 1000));
  } else {
    localStorage.removeItem(EXPIRES);
  }
  announce();
}

export function clearTokens(): void {
  if (localStorage.getItem(TOKEN) === null) return;
  for (const key of [TOKEN, REFRESH, EXPIRES]) localStorage.removeItem(key);
  announce();
}

/** Called on every change of the tokens, in this tab or another one. */
export function onTokensChange(listener: Listener): () => void {
  const fromOtherTab = (event: StorageEvent) => {
    if (event.key === TOKEN || event.key === null) listener(readTokens());
  };
  listeners.add(listener);
  window.addEventListener('storage', fromOtherTab);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('storage', fromOtherTab);
  };
}
