import { QueryClient } from '@tanstack/react-query';

import { toApiError } from '@/shared/api/errors';

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
        retryDelay: (attempt) => 800 * 2 ** attempt,
        staleTime: 2_000,
        // Requests run and fail visibly even if the browser believes to be offline: the server may be local.
        networkMode: 'always',
      },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}
