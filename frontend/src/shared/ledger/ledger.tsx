import { infiniteQueryOptions, useInfiniteQuery } from '@tanstack/react-query';
import { ReceiptText } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';

import { request } from '../api/client';
import type { EntryKind, LedgerPage } from '../api/types';
import { useI18n } from '../i18n/i18n';
import { asked } from '../lib/asked';
import { cx } from '../lib/cx';
import { useDebounced } from '../lib/hooks';
import { DateField } from '../ui/date-field';
import { ListEnd } from '../ui/list-end';
import { Select } from '../ui/select';
import { EmptyState, ErrorState, Loading, Skeleton } from '../ui/states';
import styles from './ledger.module.css';
import { rowsOf, type LedgerRow } from './rows';

const PAGE_SIZE = 50;

const KINDS = [
  'charge',
  'refund',
  'topup',
  'grant',
  'adjust',
  'set',
] as const satisfies readonly EntryKind[];

export interface LedgerFilters {
  kind: EntryKind | 'all';
  /** "2026-11-22", or "" for no bound. */
  dateFrom: string;
  dateTo: string;
}

const NO_FILTERS: LedgerFilters = { kind: 'all', dateFrom: '', dateTo: '' };

export function ledgerQuery(path: string, typed: LedgerFilters) {
  const filters = asked(typed);
  return infiniteQueryOptions({
    queryKey: ['ledger', path, filters],
    queryFn: ({ pageParam, signal }) =>
      request<LedgerPage>(path, {
        query: {
          limit: PAGE_SIZE,
          offset: pageParam,
          kind: filters.kind === 'all' ? undefined : filters.kind,
          date_from: filters.dateFrom,
          date_to: filters.dateTo,
        },
        signal,
      }),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const loaded = pages.reduce((sum, page) => sum + page.entries.length, 0);
      return last.entries.length > 0 && loaded < last.total ? loaded : undefined;
    },
  });
}

/** Where credits came from and where they went, newest first. */
export function Ledger({ path, compact = false }: { path: string; compact?: boolean }) {
  const { t } = useI18n();
  const [filters, setFilters] = useState(NO_FILTERS);
  const change = (part: Partial<LedgerFilters>) => setFilters({ ...filters, ...part });
  return (
    <div className={styles.ledger}>
      <div className={styles.filters}>
        <Select<LedgerFilters['kind']>
          label={t('ledger.kindFilter')}
          value={filters.kind}
          onChange={(kind) => change({ kind })}
          options={[
            { value: 'all', label: t('ledger.allKinds') },
            ...KINDS.map((value) => ({ value, label: t(`kind.${value}`) })),
          ]}
        />
        <DateField
          label={t('ledger.from')}
          value={filters.dateFrom}
          onChange={(dateFrom) => change({ dateFrom })}
        />
        <DateField
          label={t('ledger.to')}
          value={filters.dateTo}
          onChange={(dateTo) => change({ dateTo })}
        />
      </div>
      <Entries path={path} filters={useDebounced(filters)} compact={compact} />
    </div>
  );
}

function Entries({
  path,
  filters,
  compact,
}: {
  path: string;
  filters: LedgerFilters;
  compact: boolean;
}) {
  const { t } = useI18n();
  const ledger = useInfiniteQuery(ledgerQuery(path, filters));
  if (ledger.isPending) {
    return (
      <Loading>
        {[0, 1, 2, 3, 4].map((n) => (
          <Skeleton key={n} style={{ height: 52, marginBottom: 8 }} />
        ))}
      </Loading>
    );
  }
  if (ledger.isError && !ledger.data) {
    return <ErrorState error={ledger.error} onRetry={() => void ledger.refetch()} />;
  }
  const entries = ledger.data?.pages.flatMap((page) => page.entries) ?? [];
  if (entries.length === 0) {
    return (
      <EmptyState icon={<ReceiptText size={26} />} title={t('ledger.emptyTitle')}>
        {t('ledger.emptyText')}
      </EmptyState>
    );
  }
  return (
    <>
      <table className={cx(styles.table, compact && styles.compact)}>
        <thead>
          <tr>
            <th scope="col">{t('ledger.what')}</th>
            <th scope="col" className={styles.when}>
              {t('ledger.when')}
            </th>
            <th scope="col" className={styles.number}>
              {t('ledger.amount')}
            </th>
            <th scope="col" className={styles.number}>
              {t('ledger.balance')}
            </th>
          </tr>
        </thead>
        <tbody>
          {rowsOf(entries).map((row) => (
            <Row key={row.newest.id} row={row} />
          ))}
        </tbody>
      </table>
      <ListEnd list={ledger} />
    </>
  );
}

function Row({ row }: { row: LedgerRow }) {
  const { t, format, codeText } = useI18n();
  const { newest, count, amount } = row;
  return (
    <tr>
      <td>
        <span className={styles.kind}>
          {codeText('kind', newest.kind, newest.kind)}
          {count > 1 && <span className={styles.count}> × {format.number(count)}</span>}
        </span>
        <span className={styles.note}>
          {/* A refund's note is the code of what went wrong. */}
          {newest.note && <span>{codeText('error', newest.note, noteOf(newest))}</span>}
          {newest.batch_id && (
            <Link to={`/batches/${newest.batch_id}`}>{t('ledger.showBatch')}</Link>
          )}
          <time dateTime={newest.created_at} className={styles.whenSmall}>
            {format.dateTime(newest.created_at)}
          </time>
        </span>
      </td>
      <td className={styles.when}>
        <time dateTime={newest.created_at}>{format.dateTime(newest.created_at)}</time>
      </td>
      <td className={cx(styles.number, amount > 0 ? styles.plus : undefined)}>
        {format.signed(amount)}
      </td>
      <td className={cx(styles.number, styles.balance)}>{format.number(newest.balance_after)}</td>
    </tr>
  );
}

/** Of a refund the note is a code: one that has no words here says nothing to anybody. */
function noteOf(entry: LedgerRow['newest']): string {
  return entry.kind === 'refund' ? '' : entry.note;
}
