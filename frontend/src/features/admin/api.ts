import {
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';

import { request } from '@/shared/api/client';
import type {
  AuditAction,
  AuditPage,
  BatchPage,
  BatchStatus,
  CreatedUser,
  CredentialChanged,
  CredentialList,
  EngineStatus,
  Handover,
  NewUser,
  PasswordReset,
  TokenStatus,
  Usage,
  UserGroup,
  UserPage,
  WorkerList,
} from '@/shared/api/types';
import { asked } from '@/shared/lib/asked';

const PAGE_SIZE = 50;
const ENGINE_POLL_MS = 10_000;

export const USER_ORDERINGS = ['-created_at', 'username', '-credits', 'credits'] as const;
export type UserOrdering = (typeof USER_ORDERINGS)[number];

export function usersQuery(typed: string, ordering: UserOrdering) {
  const { search } = asked({ search: typed });
  return infiniteQueryOptions({
    queryKey: ['admin', 'users', search, ordering],
    queryFn: ({ pageParam, signal }) =>
      request<UserPage>('/api/admin/users', {
        query: { limit: PAGE_SIZE, offset: pageParam, search, ordering },
        signal,
      }),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const loaded = pages.reduce((sum, page) => sum + page.users.length, 0);
      return last.users.length > 0 && loaded < last.total ? loaded : undefined;
    },
  });
}

export interface AllBatchesFilters {
  search: string;
  status: BatchStatus | 'all';
  user: string;
  dateFrom: string;
  dateTo: string;
}

export function allBatchesQuery(typed: AllBatchesFilters) {
  const filters = asked(typed);
  return infiniteQueryOptions({
    queryKey: ['admin', 'batches', filters],
    queryFn: ({ pageParam, signal }) =>
      request<BatchPage>('/api/admin/batches', {
        query: {
          limit: PAGE_SIZE,
          offset: pageParam,
          search: filters.search,
          status: filters.status === 'all' ? undefined : filters.status,
          user: filters.user,
          date_from: filters.dateFrom,
          date_to: filters.dateTo,
        },
        signal,
      }),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const loaded = pages.reduce((sum, page) => sum + page.batches.length, 0);
      return last.batches.length > 0 && loaded < last.total ? loaded : undefined;
    },
    refetchInterval: 15_000,
  });
}

export interface AuditFilters {
  search: string;
  action: AuditAction | 'all';
  actor: string;
  /** "2026-11-22", or "" for no bound. */
  dateFrom: string;
  dateTo: string;
}

export function auditQuery(typed: AuditFilters) {
  const filters = asked(typed);
  return infiniteQueryOptions({
    queryKey: ['admin', 'audit', filters],
    queryFn: ({ pageParam, signal }) =>
      request<AuditPage>('/api/admin/audit', {
        query: {
          limit: PAGE_SIZE,
          before: pageParam ?? undefined,
          search: filters.search,
          action: filters.action === 'all' ? undefined : filters.action,
          actor: filters.actor,
          date_from: filters.dateFrom,
          date_to: filters.dateTo,
        },
        signal,
      }),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => last.next_before,
  });
}

export function usageQuery(days: number) {
  return queryOptions({
    queryKey: ['admin', 'usage', days],
    queryFn: ({ signal }) => request<Usage>('/api/admin/usage', { query: { days }, signal }),
  });
}

export const engineQuery = queryOptions({
  queryKey: ['admin', 'engine'],
  queryFn: ({ signal }) => request<EngineStatus>('/api/engine/status', { signal }),
  refetchInterval: ENGINE_POLL_MS,
});

export const credentialsQuery = queryOptions({
  queryKey: ['admin', 'credentials'],
  queryFn: ({ signal }) => request<CredentialList>('/api/admin/token', { signal }),
  refetchInterval: 30_000,
});

/** What the server says of an engine changes with its credential. */
function refreshEngine(client: ReturnType<typeof useQueryClient>) {
  void client.invalidateQueries({ queryKey: ['admin', 'token-status'] });
  return client.invalidateQueries({ queryKey: ['admin', 'credentials'] });
}

export function useSetCredential(engine: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (newToken: string) =>
      request<CredentialChanged>('/api/admin/token', {
        method: 'PATCH',
        json: { engine, new_token: newToken },
      }),
    gcTime: 0, // nothing keeps what was typed
    onSuccess: () => refreshEngine(client),
  });
}

export function useRemoveCredential(engine: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () =>
      request<CredentialChanged>('/api/admin/token', { method: 'DELETE', query: { engine } }),
    onSuccess: () => refreshEngine(client),
  });
}

export const workersQuery = queryOptions({
  queryKey: ['admin', 'workers'],
  queryFn: ({ signal }) => request<WorkerList>('/api/admin/workers', { signal }),
  refetchInterval: ENGINE_POLL_MS,
});

/** A code that opens the administration site once. Nothing keeps it: it is asked for when it is used. */
export function askForHandover(signal: AbortSignal) {
  return request<Handover>('/api/admin/handover', { method: 'POST', signal });
}

export const tokenStatusQuery = queryOptions({
  queryKey: ['admin', 'token-status'],
  queryFn: ({ signal }) => request<TokenStatus>('/api/token/status', { signal }),
  refetchInterval: 30_000,
});

export type CreditChange =
  { new_credits: number; reason: string } | { delta: number; reason: string };

export function useCreateUser() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (user: NewUser) =>
      request<CreatedUser>('/api/admin/users', { method: 'POST', json: user }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['admin', 'users'] }),
  });
}

/** `key` stays the same when a try is repeated, so that a lost answer cannot double a top-up. */
export function useChangeCredits(userId: string, key: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: CreditChange) =>
      request<{ credits: number }>(`/api/admin/users/${userId}/credits`, {
        method: 'PATCH',
        json: change,
        headers: { 'Idempotency-Key': key },
      }),
    onSuccess: async () => {
      void client.invalidateQueries({ queryKey: ['profile'] });
      void client.invalidateQueries({ queryKey: ['ledger'] });
      await client.invalidateQueries({ queryKey: ['admin', 'users'] });
    },
  });
}

export function useSetActive() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, active }: { id: string; active: boolean }) =>
      request(`/api/admin/users/${id}`, { method: 'PATCH', json: { is_active: active } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['admin', 'users'] }),
  });
}

export function useResetPassword(userId: string) {
  return useMutation({
    mutationFn: () =>
      request<PasswordReset>(`/api/admin/users/${userId}/password`, { method: 'POST', json: {} }),
  });
}

export function useEndSessions(userId: string) {
  return useMutation({
    mutationFn: () =>
      request<{ count: number }>(`/api/admin/users/${userId}/logout`, { method: 'POST' }),
  });
}

export const groupsQuery = queryOptions({
  queryKey: ['admin', 'groups'],
  queryFn: ({ signal }) => request<{ groups: UserGroup[] }>('/api/admin/groups', { signal }),
});

export function useSetGroup(userId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (group: string | null) =>
      request(`/api/admin/users/${userId}`, { method: 'PATCH', json: { group } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['admin', 'users'] }),
  });
}
