/** The reason the application itself gives when no answer of the server says why. */
export type LocalCode = 'network' | 'timeout' | 'aborted' | 'bad_answer';

/** A request that did not succeed: an error answer of the server, or none at all (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Seconds the server asks to wait. */
  readonly retryAfter: number | null;

  constructor(
    status: number,
    code: string,
    detail: string,
    body: Record<string, unknown> = {},
    retryAfter: number | null = null,
  ) {
    super(detail || code);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.body = body;
    this.retryAfter = retryAfter;
  }

  /** No answer arrived, so the request may or may not have been carried out. */
  get isConnection(): boolean {
    return this.status === 0 && this.code !== 'aborted';
  }

  /** Nothing was refused: the same request may succeed once the connection or the server is well again. */
  get isPassing(): boolean {
    const { status, code } = this;
    // Where a page is answered instead of JSON, a proxy stands in for a server that is away.
    if (this.isConnection || code === 'bad_answer') return true;
    return status === 408 || status === 429 || status >= 500;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads the error answer `{"detail", "code", "errors"?}`; anything else still becomes an ApiError. */
export function errorFromAnswer(status: number, text: string, retryAfter: string | null): ApiError {
  const seconds = retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
  try {
    const body: unknown = JSON.parse(text);
    if (isRecord(body)) {
      const code = typeof body.code === 'string' ? body.code : `http_${status}`;
      const detail = typeof body.detail === 'string' ? body.detail : '';
      return new ApiError(status, code, detail, body, seconds);
    }
  } catch {
    // Not JSON: a proxy in between, most likely.
  }
  return new ApiError(status, `http_${status}`, '', {}, seconds);
}

export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof DOMException && error.name === 'AbortError') {
    return new ApiError(0, 'aborted', '');
  }
  return new ApiError(0, 'network', '');
}
