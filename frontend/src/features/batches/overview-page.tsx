import { useInfiniteQuery } from '@tanstack/react-query';
import { Clapperboard, Plus } from 'lucide-react';
import { memo } from 'react';
import { Link, useLocation } from 'react-router';

import type { Batch } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { ButtonLink } from '@/shared/ui/button';
import { ListEnd } from '@/shared/ui/list-end';
import { Page } from '@/shared/ui/page';
import { ProgressBar } from '@/shared/ui/progress-bar';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/shared/ui/states';
import { StatusBadge } from '@/shared/ui/status';

import { batchListQuery } from './api';
import { useBatchFilters } from './filters';
import styles from './overview-page.module.css';
import { isMoving } from './polling';

/** What a desktop shows beside the folders while none is open. */
export function OverviewPage() {
  const { t } = useI18n();
  return (
    <Page
      title={t('overview.title')}
      description={t('overview.text')}
      actions={
        <ButtonLink variant="primary">
          <Link to="/new">
            <Plus size={17} aria-hidden="true" />
            {t('nav.new')}
          </Link>
        </ButtonLink>
      }
    >
      <Recent />
    </Page>
  );
}

function Recent() {
  const { t } = useI18n();
  const { filters } = useBatchFilters();
  const list = useInfiniteQuery(batchListQuery(filters));
  if (list.isPending) {
    return (
      <Loading>
        <div className={styles.grid}>
          {[0, 1, 2, 3, 4, 5].map((n) => (
            <Skeleton key={n} style={{ height: 236 }} />
          ))}
        </div>
      </Loading>
    );
  }
  if (list.isError && !list.data) {
    return <ErrorState error={list.error} onRetry={() => void list.refetch()} />;
  }
  const batches = list.data?.pages.flatMap((page) => page.batches) ?? [];
  if (batches.length === 0) {
    const filtered = filters.search !== '' || filters.status !== 'all';
    return (
      <EmptyState
        icon={<Clapperboard size={28} />}
        title={t(filtered ? 'batches.noMatchTitle' : 'batches.emptyTitle')}
        action={
          !filtered && (
            <ButtonLink variant="primary" size="lg">
              <Link to="/new">{t('batches.emptyAction')}</Link>
            </ButtonLink>
          )
        }
      >
        {t(filtered ? 'batches.noMatchText' : 'batches.emptyText')}
      </EmptyState>
    );
  }
  return (
    <>
      <ul className={styles.grid}>
        {batches.map((batch) => (
          <li key={batch.id}>
            <BatchCard batch={batch} />
          </li>
        ))}
      </ul>
      <ListEnd list={list} />
    </>
  );
}

const BatchCard = memo(function BatchCard({ batch }: { batch: Batch }) {
  const { t, format } = useI18n();
  const { search } = useLocation();
  const covers = batch.items.slice(0, 3);
  return (
    <Link to={{ pathname: `/batches/${batch.id}`, search }} className={styles.card}>
      <span className={styles.covers} data-count={covers.length}>
        {covers.map((item) => (
          <img
            key={item.id}
            src={item.thumbnail_url || item.sourceImage}
            alt=""
            loading="lazy"
            decoding="async"
          />
        ))}
        {batch.imageCount > 3 && <span className={styles.more}>+{batch.imageCount - 3}</span>}
      </span>
      <span className={styles.body}>
        <span className={styles.name}>{batch.name}</span>
        <span className={styles.row}>
          <span className={styles.meta}>
            {t('batches.videos', { n: batch.imageCount })} · {format.day(batch.timestamp)}
          </span>
          <StatusBadge status={batch.status} />
        </span>
        {isMoving(batch.progress) && (
          <ProgressBar
            thin
            value={batch.progress.overall_progress}
            label={t('batch.progressOf', { name: batch.name })}
          />
        )}
      </span>
    </Link>
  );
});
