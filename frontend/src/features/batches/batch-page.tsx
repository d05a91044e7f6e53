import { useQuery, useQueryClient } from '@tanstack/react-query';
import { ArrowLeft, FolderX, ListChecks } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Link, useLocation, useNavigate, useParams } from 'react-router';

import { toApiError } from '@/shared/api/errors';
import type { Batch, ItemStatus } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { useTitle } from '@/shared/lib/hooks';
import { Button, ButtonLink } from '@/shared/ui/button';
import { Notice } from '@/shared/ui/notice';
import { Segmented } from '@/shared/ui/segmented';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/shared/ui/states';

import { batchQuery, showInLists } from './api';
import styles from './batch-page.module.css';
import { BatchHeader } from './components/batch-header';
import { BatchProgress } from './components/batch-progress';
import { ItemGrid } from './components/item-grid';
import { PlayerDialog } from './components/player-dialog';
import { SelectionBar } from './components/selection-bar';
import { noteProgress } from './notices';
import { isMoving, watched } from './polling';
import { useSelection } from './selection';

export function BatchPage() {
  const { batchId = '' } = useParams();
  // A new key starts the next batch with its own filter and a closed player.
  return <LoadedBatch key={batchId} batchId={batchId} />;
}

function LoadedBatch({ batchId }: { batchId: string }) {
  const { t } = useI18n();
  const query = useQuery(batchQuery(batchId));
  useTitle(useBatchTitle(query.data), t('app.name'));
  useNews(batchId, query.data);

  if (query.isPending) return <BatchSkeleton />;
  // Also when it was here a moment ago: it may be deleted in another tab.
  if (query.isError && toApiError(query.error).status === 404) {
    return (
      <EmptyState
        icon={<FolderX size={26} />}
        title={t('batch.goneTitle')}
        action={
          <ButtonLink>
            <Link to="/batches">{t('notFound.home')}</Link>
          </ButtonLink>
        }
      >
        {t('batch.goneText')}
      </EmptyState>
    );
  }
  if (!query.data) {
    return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  }
  return <BatchView batch={query.data} stale={query.isError || query.failureCount > 0} />;
}

/** The name, with how far it is, or that it is done since somebody looked. */
function useBatchTitle(batch: Batch | undefined): string | undefined {
  const [unseen, setUnseen] = useState(false);
  const moving = batch !== undefined && isMoving(batch.progress);
  const wasMoving = useRef(false);
  useEffect(() => {
    if (wasMoving.current && !moving && document.hidden) setUnseen(true);
    wasMoving.current = moving;
  }, [moving]);
  useEffect(() => {
    const seen = () => {
      if (!document.hidden) setUnseen(false);
    };
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, []);
  if (!batch) return undefined;
  if (moving) return `${Math.round(batch.progress.overall_progress)}% · ${batch.name}`;
  return unseen ? `✓ ${batch.name}` : batch.name;
}

/** What this page learns is told to the lists, and to whoever wants to be told. */
function useNews(batchId: string, batch: Batch | undefined): void {
  const { t } = useI18n();
  const client = useQueryClient();
  useEffect(() => {
    watched.id = batchId;
    return () => {
      watched.id = null;
    };
  }, [batchId]);
  useEffect(() => {
    if (!batch) return;
    showInLists(client, batch);
    noteProgress([batch], t);
  }, [client, batch, t]);
}

type Filter = 'all' | 'completed' | 'moving' | 'trouble';

const FILTERS: Record<Filter, readonly ItemStatus[]> = {
  all: ['pending', 'processing', 'completed', 'failed', 'cancelled'],
  completed: ['completed'],
  moving: ['pending', 'processing'],
  trouble: ['failed', 'cancelled'],
};

function BatchView({ batch, stale }: { batch: Batch; stale: boolean }) {
  const { t } = useI18n();
  const { search } = useLocation();
  const [filter, setFilter] = useState<Filter>('all');
  const [playing, setPlaying] = usePlaying(batch.id);
  const shown = useMemo(
    () => batch.items.filter((item) => FILTERS[filter].includes(item.status)),
    [batch.items, filter],
  );
  const selection = useSelection(shown);
  const { progress } = batch;
  const counts: Record<Filter, number> = {
    all: progress.total,
    completed: progress.completed,
    moving: progress.pending + progress.processing,
    trouble: progress.failed + progress.cancelled,
  };
  const filters = (Object.keys(FILTERS) as Filter[]).filter(
    (name) => name === 'all' || name === filter || counts[name] > 0,
  );

  return (
    <div className={styles.page}>
      <Link to={{ pathname: '/batches', search }} className={styles.back}>
        <ArrowLeft size={17} aria-hidden="true" />
        {t('nav.batches')}
      </Link>
      <BatchHeader batch={batch} />
      {stale && <Notice tone="warn">{t('state.stale')}</Notice>}
      <Expiry batch={batch} />
      <BatchProgress batch={batch} />
      {batch.waiting_reason && progress.pending + progress.processing > 0 && (
        <Notice tone="warn">{batch.waiting_reason}</Notice>
      )}
      <div className={styles.filters}>
        {filters.length > 2 && (
          <Segmented<Filter>
            label={t('batch.filter')}
            value={filter}
            onChange={setFilter}
            options={filters.map((name) => ({
              value: name,
              label: t(`batch.filter.${name}`),
              count: counts[name],
            }))}
          />
        )}
        {progress.completed > 1 && !batch.files_removed && !selection.active && (
          <Button
            size="sm"
            variant="ghost"
            icon={<ListChecks size={16} />}
            className={styles.select}
            onClick={selection.begin}
          >
            {t('select.begin')}
          </Button>
        )}
      </div>
      <ItemGrid
        batchId={batch.id}
        items={shown}
        engine={batch.engine}
        deletable={progress.total > 1}
        onPlay={setPlaying}
        selection={selection}
      />
      {selection.active && <SelectionBar batchId={batch.id} selection={selection} />}
      <PlayerDialog batch={batch} itemId={playing} onChange={setPlaying} />
    </div>
  );
}

/** Until when the files are kept, for batches that are not kept for ever. */
function Expiry({ batch }: { batch: Batch }) {
  const { t, format } = useI18n();
  if (batch.files_removed) return <Notice tone="warn">{t('batch.filesRemoved')}</Notice>;
  if (batch.expires_at === null) return null;
  return <Notice>{t('batch.expires', { day: format.day(batch.expires_at) })}</Notice>;
}

/** The video that plays is part of the address, so that Back closes the player and links lead to videos. */
function usePlaying(batchId: string): [string | null, (itemId: string | null) => void] {
  const { itemId = null } = useParams();
  const location = useLocation();
  const { search } = location;
  const navigate = useNavigate();
  const openedHere = (location.state as { player?: boolean } | null)?.player === true;
  const play = useCallback(
    (next: string | null) => {
      const pathname = `/batches/${batchId}${next === null ? '' : `/videos/${next}`}`;
      if (next === null && openedHere) void navigate(-1);
      else if (next === null) void navigate({ pathname, search }, { replace: true });
      else
        void navigate(
          { pathname, search },
          // The next video takes the place of the one before: Back leads to the batch.
          { replace: itemId !== null, state: { player: itemId === null || openedHere } },
        );
    },
    [batchId, itemId, navigate, openedHere, search],
  );
  return [itemId, play];
}

function BatchSkeleton() {
  return (
    <div className={styles.page}>
      <Loading>
        <Skeleton style={{ width: 260, height: 34, marginBottom: 12 }} />
        <Skeleton style={{ width: 180, height: 18, marginBottom: 24 }} />
        <Skeleton style={{ height: 74, marginBottom: 24 }} />
        <div className={styles.skeletons}>
          {[0, 1, 2, 3, 4, 5, 6, 7].map((n) => (
            <Skeleton key={n} style={{ height: 240 }} />
          ))}
        </div>
      </Loading>
    </div>
  );
}
