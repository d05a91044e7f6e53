import { QueryClient } from '@tanstack/react-query';

import { toApiError } from '@/shared/api/errors';
import { askedWait } from '@/shared/lib/poll';

/** Broken connections and overloaded servers are tried again; a refusal is not. */
function shouldRetry(failures: number, error: unknown): boolean {
  const { isConnection, status } = toApiError(error);
  return failures < 2 && (isConnection || status >= 500);
}

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: shouldRetry,
        // Never sooner than an overloaded server asks: every open tab would add to its load.
        retryDelay: (attempt, error) => Math.max(800 * 2 ** attempt, askedWait(error)),
        staleTime: 2_000,
        // Requests run and fail visibly even if the browser believes to be offline: the server may be local.
        networkMode: 'always',
      },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}
