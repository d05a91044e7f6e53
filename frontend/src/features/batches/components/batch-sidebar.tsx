import { useInfiniteQuery } from '@tanstack/react-query';
import { FolderOpen, SearchX } from 'lucide-react';
import { memo, useEffect, useMemo } from 'react';
import { Link, NavLink, useLocation } from 'react-router';

import type { Batch } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { useIsPhone, useTitle } from '@/shared/lib/hooks';
import { ButtonLink } from '@/shared/ui/button';
import { SearchField } from '@/shared/ui/field';
import { ListEnd } from '@/shared/ui/list-end';
import { ProgressBar } from '@/shared/ui/progress-bar';
import { Select } from '@/shared/ui/select';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/shared/ui/states';
import { StatusDot } from '@/shared/ui/status';

import { batchListQuery } from '../api';
import { BATCH_STATUSES, useBatchFilters } from '../filters';
import { groupByDay } from '../group';
import { noteProgress } from '../notices';
import { isMoving } from '../polling';
import styles from './batch-sidebar.module.css';

export function BatchSidebar() {
  const { t } = useI18n();
  const { search, status, filters, set } = useBatchFilters();
  const phone = useIsPhone();
  const Heading = phone ? 'h1' : 'h2';
  useTitle(t('nav.batches'), t('app.name'));
  return (
    <section className={styles.sidebar} aria-label={t('batches.folders')}>
      <div className={styles.head}>
        <Heading className={styles.title}>{t('nav.batches')}</Heading>
        <SearchField
          label={t('batches.search')}
          value={search}
          onChange={(value) => set('search', value)}
        />
        <Select
          label={t('batches.statusFilter')}
          value={status}
          onChange={(value) => set('status', value)}
          options={[
            { value: 'all', label: t('batches.allStatuses') },
            ...BATCH_STATUSES.map((value) => ({ value, label: t(`status.${value}`) })),
          ]}
        />
      </div>
      <Folders filters={filters} />
    </section>
  );
}

function Folders({ filters }: { filters: ReturnType<typeof useBatchFilters>['filters'] }) {
  const { t, format } = useI18n();
  const list = useInfiniteQuery(batchListQuery(filters));
  const folders = useMemo(
    () => groupByDay(list.data?.pages.flatMap((page) => page.batches) ?? []),
    [list.data],
  );
  useEffect(() => {
    const batches = list.data?.pages.flatMap((page) => page.batches) ?? [];
    noteProgress(batches, t);
  }, [list.data, t]);
  if (list.isPending) {
    return (
      <div className={styles.list}>
        <Loading>
          {[0, 1, 2, 3, 4].map((n) => (
            <Skeleton key={n} style={{ height: 58, marginBottom: 6 }} />
          ))}
        </Loading>
      </div>
    );
  }
  if (list.isError && !list.data) {
    return <ErrorState error={list.error} onRetry={() => void list.refetch()} />;
  }
  if (folders.length === 0)
    return <NoBatches filtered={filters.search !== '' || filters.status !== 'all'} />;

  return (
    <nav className={styles.list} aria-label={t('batches.folders')}>
      {folders.map((folder) => (
        <section key={folder.key} aria-labelledby={`day-${folder.key}`}>
          <h3 id={`day-${folder.key}`} className={styles.day}>
            {format.day(folder.timestamp)}
          </h3>
          <ul>
            {folder.batches.map((batch) => (
              <li key={batch.id}>
                <BatchLink batch={batch} />
              </li>
            ))}
          </ul>
        </section>
      ))}
      <ListEnd list={list} />
    </nav>
  );
}

function NoBatches({ filtered }: { filtered: boolean }) {
  const { t } = useI18n();
  const phone = useIsPhone();
  if (filtered) {
    return (
      <EmptyState icon={<SearchX size={26} />} title={t('batches.noMatchTitle')}>
        {t('batches.noMatchText')}
      </EmptyState>
    );
  }
  if (!phone) return <p className={styles.none}>{t('batches.emptyShort')}</p>;
  return (
    <EmptyState
      icon={<FolderOpen size={26} />}
      title={t('batches.emptyTitle')}
      action={
        <ButtonLink variant="primary">
          <Link to="/new">{t('nav.new')}</Link>
        </ButtonLink>
      }
    >
      {t('batches.emptyText')}
    </EmptyState>
  );
}

const BatchLink = memo(function BatchLink({ batch }: { batch: Batch }) {
  const { t, format } = useI18n();
  const { search } = useLocation();
  const moving = isMoving(batch.progress);
  const cover = batch.items[0];
  return (
    <NavLink to={{ pathname: `/batches/${batch.id}`, search }} className={styles.link}>
      <span className={styles.cover}>
        {cover && (
          <img
            src={cover.thumbnail_url || cover.sourceImage}
            alt=""
            width={40}
            height={40}
            loading="lazy"
            decoding="async"
          />
        )}
      </span>
      <span className={styles.text}>
        <span className={styles.name}>{batch.name}</span>
        <span className={styles.meta}>
          {format.time(batch.timestamp)} ·{' '}
          {t('batches.done', { done: batch.progress.completed, total: batch.progress.total })}
        </span>
        {moving && (
          <ProgressBar
            thin
            value={batch.progress.overall_progress}
            label={t('batch.progressOf', { name: batch.name })}
          />
        )}
      </span>
      <StatusDot status={batch.status} />
    </NavLink>
  );
});
