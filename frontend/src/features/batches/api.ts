import {
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
  type InfiniteData,
  type QueryClient,
} from '@tanstack/react-query';

import { request } from '@/shared/api/client';
import { toApiError } from '@/shared/api/errors';
import type { Batch, BatchExport, BatchPage, BatchStatus } from '@/shared/api/types';
import { loadPatiently } from '@/shared/lib/load';
import { pollAfter } from '@/shared/lib/poll';

import { listPollInterval, pollInterval } from './polling';

const PAGE_SIZE = 30;
const REPLACE_TIMEOUT_MS = 120_000;

export interface BatchFilters {
  search: string;
  status: BatchStatus | 'all';
}

export function batchListQuery(filters: BatchFilters) {
  return infiniteQueryOptions({
    queryKey: ['batches', 'list', filters],
    queryFn: ({ pageParam, signal }) =>
      request<BatchPage>('/api/video/batches', {
        query: {
          limit: PAGE_SIZE,
          offset: pageParam,
          search: filters.search,
          status: filters.status === 'all' ? undefined : filters.status,
        },
        signal,
      }),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const loaded = pages.reduce((sum, page) => sum + page.batches.length, 0);
      return last.batches.length > 0 && loaded < last.total ? loaded : undefined;
    },
    refetchInterval: ({ state }) => {
      // What could not be learned, such as a new batch, is asked for again.
      if (state.error) return pollAfter(state.error);
      const batches = state.data?.pages.flatMap((page) => page.batches) ?? [];
      return listPollInterval(batches, document.hidden);
    },
    refetchIntervalInBackground: true,
  });
}

export function batchQuery(id: string) {
  return queryOptions({
    queryKey: ['batches', 'one', id],
    queryFn: ({ signal }) => request<Batch>(`/api/video/batches/${id}`, { signal }),
    refetchInterval: ({ state }) => {
      if (state.error) return pollAfter(state.error);
      return state.data ? pollInterval([state.data], document.hidden) : false;
    },
    refetchIntervalInBackground: true,
  });
}

/** Puts what the open page learned into the lists, so that both tell the same. */
export function showInLists(client: QueryClient, batch: Batch): void {
  client.setQueriesData<InfiniteData<BatchPage>>({ queryKey: ['batches', 'list'] }, (lists) => {
    if (!lists?.pages.some((page) => page.batches.some(({ id }) => id === batch.id))) return lists;
    return {
      ...lists,
      pages: lists.pages.map((page) => ({
        ...page,
        batches: page.batches.map((other) => (other.id === batch.id ? batch : other)),
      })),
    };
  });
}

function refreshBatches(client: QueryClient): Promise<void> {
  void client.invalidateQueries({ queryKey: ['profile'] });
  void client.invalidateQueries({ queryKey: ['ledger'] });
  return client.invalidateQueries({ queryKey: ['batches'] });
}

export type BatchAction =
  | { kind: 'rename'; name: string }
  | { kind: 'cancel' }
  | { kind: 'retryFailed' }
  | { kind: 'delete' }
  | { kind: 'cancelItem'; itemId: string }
  | { kind: 'retryItem'; itemId: string }
  | { kind: 'deleteItem'; itemId: string }
  | { kind: 'replaceItem'; itemId: string; image: File };

/** Sends the picture ahead where the server takes direct uploads, and otherwise as a form. */
async function replaceImage(path: string, image: File): Promise<unknown> {
  const call = { method: 'POST', timeoutMs: REPLACE_TIMEOUT_MS } as const;
  // Few who look at their batches replace an image: what it takes is not part of the first load.
  const { DirectUploadUnavailable, forgetUploads, uploadDirectly } = await loadPatiently(
    () => import('@/shared/api/direct-upload'),
  );
  try {
    const [key] = await uploadDirectly([image]);
    const answer = await request(path, { ...call, json: { image: key } });
    forgetUploads([image]);
    return answer;
  } catch (error) {
    if (!(error instanceof DirectUploadUnavailable)) throw error;
    const form = new FormData();
    form.append('image', image);
    return request(path, { ...call, form });
  }
}

function send(batchId: string, action: BatchAction): Promise<unknown> {
  const base = `/api/video/batches/${batchId}`;
  switch (action.kind) {
    case 'rename':
      return request(base, { method: 'PATCH', json: { name: action.name } });
    case 'cancel':
      return request(`${base}/cancel`, { method: 'POST' });
    case 'retryFailed':
      return request(`${base}/retry_failed`, { method: 'POST', json: { where_it_helps: true } });
    case 'delete':
      return request(base, { method: 'DELETE' });
    case 'cancelItem':
      return request(`${base}/items/${action.itemId}/cancel`, { method: 'POST' });
    case 'retryItem':
      return request(`${base}/items/${action.itemId}/resume`, { method: 'POST' });
    case 'deleteItem':
      return request(`${base}/items/${action.itemId}`, { method: 'DELETE' });
    case 'replaceItem':
      return replaceImage(`${base}/items/${action.itemId}/replace`, action.image);
  }
}

export function useBatchAction(batchId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (action: BatchAction) => send(batchId, action),
    onSuccess: async (_answer, action) => {
      if (action.kind === 'delete') {
        client.removeQueries({ queryKey: ['batches', 'one', batchId] });
        void refreshBatches(client);
      } else {
        await refreshBatches(client);
      }
    },
    // A conflict means that the screen was behind: show what is true now.
    onError: (error) => {
      if (toApiError(error).status === 409) void refreshBatches(client);
    },
  });
}

/** Of all finished videos, or of some. */
export function fetchExport(batchId: string, items?: readonly string[]): Promise<BatchExport> {
  return request<BatchExport>(`/api/video/batches/${batchId}/export`, {
    query: { items: items?.join(',') },
  });
}
