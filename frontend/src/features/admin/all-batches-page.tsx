import { useInfiniteQuery } from '@tanstack/react-query';
import { SearchX } from 'lucide-react';
import { useState } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';

import type { Batch, BatchStatus } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { useDebounced } from '@/shared/lib/hooks';
import { Button } from '@/shared/ui/button';
import { DateField } from '@/shared/ui/date-field';
import { SearchField } from '@/shared/ui/field';
import { ListEnd } from '@/shared/ui/list-end';
import { ProgressBar } from '@/shared/ui/progress-bar';
import { Select } from '@/shared/ui/select';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/shared/ui/states';
import { StatusBadge } from '@/shared/ui/status';

import styles from './all-batches-page.module.css';
import { allBatchesQuery, type AllBatchesFilters } from './api';
import { UserFilter } from './components/user-filter';

const STATUSES: readonly BatchStatus[] = [
  'pending',
  'processing',
  'completed',
  'partial',
  'failed',
  'cancelled',
];

const NO_FILTERS: AllBatchesFilters = {
  search: '',
  status: 'all',
  user: '',
  dateFrom: '',
  dateTo: '',
};

export function AllBatchesPage() {
  const { t } = useI18n();
  const [params] = useSearchParams();
  const [filters, setFilters] = useState<AllBatchesFilters>({
    ...NO_FILTERS,
    user: params.get('user') ?? '',
  });
  const change = (part: Partial<AllBatchesFilters>) => setFilters({ ...filters, ...part });
  const navigate = useNavigate();
  const [reset, setReset] = useState(0);
  const clear = () => {
    setFilters(NO_FILTERS);
    setReset(reset + 1);
    void navigate('/manage/batches', { replace: true });
  };
  const filtered = Object.entries(NO_FILTERS).some(
    ([name, value]) => filters[name as keyof AllBatchesFilters] !== value,
  );
  return (
    <>
      <div className={styles.bar}>
        <SearchField
          label={t('batches.search')}
          value={filters.search}
          onChange={(search) => change({ search })}
        />
        <UserFilter
          initial={params.get('name') ?? ''}
          onChange={(user) => change({ user })}
          key={reset}
        />
        <Select
          label={t('batches.statusFilter')}
          value={filters.status}
          onChange={(status) => change({ status })}
          options={[
            { value: 'all' as const, label: t('batches.allStatuses') },
            ...STATUSES.map((value) => ({ value, label: t(`status.${value}`) })),
          ]}
        />
        <DateField
          label={t('admin.from')}
          value={filters.dateFrom}
          onChange={(dateFrom) => change({ dateFrom })}
        />
        <DateField
          label={t('admin.to')}
          value={filters.dateTo}
          onChange={(dateTo) => change({ dateTo })}
        />
        {filtered && (
          <Button variant="ghost" onClick={clear}>
            {t('common.clear')}
          </Button>
        )}
      </div>
      <BatchTable filters={useDebounced(filters)} />
    </>
  );
}

function BatchTable({ filters }: { filters: AllBatchesFilters }) {
  const { t } = useI18n();
  const list = useInfiniteQuery(allBatchesQuery(filters));
  if (list.isPending) {
    return (
      <Loading>
        {[0, 1, 2, 3, 4].map((n) => (
          <Skeleton key={n} style={{ height: 58, marginBottom: 8 }} />
        ))}
      </Loading>
    );
  }
  if (list.isError && !list.data) {
    return <ErrorState error={list.error} onRetry={() => void list.refetch()} />;
  }
  const batches = list.data?.pages.flatMap((page) => page.batches) ?? [];
  if (batches.length === 0) {
    return (
      <EmptyState icon={<SearchX size={26} />} title={t('batches.noMatchTitle')}>
        {t('batches.noMatchText')}
      </EmptyState>
    );
  }
  return (
    <>
      <p className={styles.total} role="status">
        {t('admin.batchTotal', { n: list.data?.pages[0]?.total ?? 0 })}
      </p>
      <ul className={styles.list}>
        {batches.map((batch) => (
          <BatchRow key={batch.id} batch={batch} />
        ))}
      </ul>
      <ListEnd list={list} />
    </>
  );
}

function BatchRow({ batch }: { batch: Batch }) {
  const { t, format } = useI18n();
  const cover = batch.items[0];
  const moving = batch.progress.pending + batch.progress.processing > 0;
  return (
    <li>
      <Link to={`/batches/${batch.id}`} className={styles.row}>
        <span className={styles.cover}>
          {cover && (
            <img
              src={cover.thumbnail_url || cover.sourceImage}
              alt=""
              loading="lazy"
              decoding="async"
            />
          )}
        </span>
        <span className={styles.main}>
          <span className={styles.name}>{batch.name}</span>
          <span className={styles.meta}>
            {batch.userName} · {format.dateTime(batch.timestamp)}
          </span>
        </span>
        <span className={styles.progress}>
          <span className={styles.meta}>
            {t('batches.done', { done: batch.progress.completed, total: batch.progress.total })}
            {batch.progress.failed > 0 &&
              ` · ${t('admin.failedCount', { n: batch.progress.failed })}`}
          </span>
          {moving && (
            <ProgressBar
              thin
              value={batch.progress.overall_progress}
              label={t('batch.progressOf', { name: batch.name })}
            />
          )}
        </span>
        <StatusBadge status={batch.status} />
      </Link>
    </li>
  );
}
