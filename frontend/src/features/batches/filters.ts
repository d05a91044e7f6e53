import { useMemo } from 'react';
import { useSearchParams } from 'react-router';

import type { BatchStatus } from '@/shared/api/types';
import { asked } from '@/shared/lib/asked';
import { useDebounced } from '@/shared/lib/hooks';

import type { BatchFilters } from './api';

export const BATCH_STATUSES = [
  'pending',
  'processing',
  'completed',
  'partial',
  'failed',
  'cancelled',
] as const satisfies readonly BatchStatus[];

/** The list's filters live in the address, so that they survive going into a batch and back. */
export function useBatchFilters() {
  const [params, setParams] = useSearchParams();
  const search = params.get('search') ?? '';
  const status = BATCH_STATUSES.find((known) => known === params.get('status')) ?? 'all';
  const settled = useDebounced(search);
  const filters = useMemo<BatchFilters>(
    () => asked({ search: settled, status }),
    [settled, status],
  );

  const set = (name: 'search' | 'status', value: string) => {
    setParams(
      (current) => {
        const next = new URLSearchParams(current);
        if (value === '' || value === 'all') next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  };
  return { search, status, filters, set };
}
