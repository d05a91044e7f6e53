/** Who is signed in. The profile is polled gently so that a top-up shows without a reload. */
import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useSyncExternalStore } from 'react';

import { forgetAnswers, request } from '../api/client';
import { clearTokens, onTokensChange, readTokens } from '../api/tokens';
import type { User } from '../api/types';

const PROFILE_POLL_MS = 20_000;

export const profileQuery = queryOptions({
  queryKey: ['profile'],
  queryFn: ({ signal }) => request<User>('/api/user/profile', { signal }),
  refetchInterval: PROFILE_POLL_MS,
  staleTime: 5_000,
});

export function useSignedIn(): boolean {
  return useSyncExternalStore(onTokensChange, () => readTokens() !== null);
}

export function useProfile() {
  return useQuery(profileQuery);
}

/** Reads the balance again after something that changes it. */
export function useRefreshBalance(): () => void {
  const client = useQueryClient();
  return useCallback(() => {
    void client.invalidateQueries({ queryKey: ['profile'] });
    void client.invalidateQueries({ queryKey: ['ledger'] });
  }, [client]);
}

/** Ends this session, here at once and on the server as soon as it hears of it. */
export function useSignOut(): (everywhere?: boolean) => Promise<void> {
  const client = useQueryClient();
  return useCallback(
    async (everywhere = false) => {
      const refresh = readTokens()?.refresh;
      if (everywhere) {
        await request('/api/auth/logout_all', { method: 'POST' });
      } else {
        try {
          await request('/api/auth/logout', {
            method: 'POST',
            json: { refresh },
            timeoutMs: 4_000,
          });
        } catch {
          // Signing out must work without a connection too; the token then ends by itself.
        }
      }
      clearTokens();
      forgetAnswers();
      client.clear();
    },
    [client],
  );
}
