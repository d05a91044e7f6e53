import { useInfiniteQuery } from '@tanstack/react-query';
import { ClipboardList } from 'lucide-react';
import { useState } from 'react';

import type { AuditAction, AuditEntry } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { useOwnTexts } from '@/shared/i18n/own-texts';
import { useDebounced } from '@/shared/lib/hooks';
import { Button } from '@/shared/ui/button';
import { DateField } from '@/shared/ui/date-field';
import { SearchField } from '@/shared/ui/field';
import { ListEnd } from '@/shared/ui/list-end';
import { Select } from '@/shared/ui/select';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/shared/ui/states';

import { auditQuery, type AuditFilters } from './api';
import styles from './audit-page.module.css';
import { auditTexts, type AuditText } from './audit-texts';

const ACTIONS = Object.keys(auditTexts.en)
  .filter((key) => key.startsWith('action.'))
  .map((key) => key.slice('action.'.length) as AuditAction);

type Detail = string | boolean;
type Status = 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';
const STATUSES = new Set<Status>(['pending', 'processing', 'completed', 'failed', 'cancelled']);
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

const NO_FILTERS: AuditFilters = {
  search: '',
  action: 'all',
  actor: '',
  dateFrom: '',
  dateTo: '',
};

/** Who did what to what is not theirs, newest first. */
export function AuditPage() {
  const { t } = useI18n();
  const text = useOwnTexts(auditTexts);
  const [filters, setFilters] = useState(NO_FILTERS);
  const [actorName, setActorName] = useState('');
  const change = (part: Partial<AuditFilters>) => setFilters({ ...filters, ...part });
  const filtered = Object.entries(NO_FILTERS).some(
    ([name, value]) => filters[name as keyof AuditFilters] !== value,
  );
  return (
    <>
      <div className={styles.bar}>
        <SearchField
          label={text('search')}
          value={filters.search}
          onChange={(search) => change({ search })}
        />
        <Select<AuditFilters['action']>
          label={text('actionFilter')}
          value={filters.action}
          onChange={(action) => change({ action })}
          options={[
            { value: 'all', label: text('allActions') },
            ...ACTIONS.map((value) => ({
              value,
              label: text(`action.${value}`),
            })),
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
          <Button variant="ghost" onClick={() => setFilters(NO_FILTERS)}>
            {t('common.clear')}
          </Button>
        )}
      </div>
      {filters.actor && <p className={styles.only}>{text('onlyBy', { name: actorName })}</p>}
      <Entries
        filters={useDebounced(filters)}
        onActor={(entry) => {
          setActorName(entry.actor_name);
          change({ actor: entry.actor_id ?? '' });
        }}
      />
    </>
  );
}

function Entries({
  filters,
  onActor,
}: {
  filters: AuditFilters;
  onActor: (entry: AuditEntry) => void;
}) {
  const text = useOwnTexts(auditTexts);
  const log = useInfiniteQuery(auditQuery(filters));
  if (log.isPending) {
    return (
      <Loading>
        {[0, 1, 2, 3, 4].map((n) => (
          <Skeleton key={n} style={{ height: 52, marginBottom: 8 }} />
        ))}
      </Loading>
    );
  }
  if (log.isError && !log.data) {
    return <ErrorState error={log.error} onRetry={() => void log.refetch()} />;
  }
  const entries = log.data?.pages.flatMap((page) => page.entries) ?? [];
  if (entries.length === 0) {
    return (
      <EmptyState icon={<ClipboardList size={26} />} title={text('emptyTitle')}>
        {text('emptyText')}
      </EmptyState>
    );
  }
  return (
    <>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{text('what')}</th>
            <th scope="col">{text('who')}</th>
            <th scope="col" className={styles.when}>
              {text('when')}
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <Row key={entry.id} entry={entry} onActor={onActor} />
          ))}
        </tbody>
      </table>
      <ListEnd list={log} />
    </>
  );
}

function Row({ entry, onActor }: { entry: AuditEntry; onActor: (entry: AuditEntry) => void }) {
  const { t, format } = useI18n();
  const text = useOwnTexts(auditTexts);
  const shown = (value: Detail) => {
    if (typeof value === 'boolean') return t(value ? 'common.yes' : 'common.no');
    if (STATUSES.has(value as Status)) return t(`status.${value as Status}`);
    return INSTANT.test(String(value)) ? format.dateTime(String(value)) : String(value);
  };
  const called = (name: string) => {
    const plain = name.replace(/_before$/, '');
    const known = textOf(text, `detail.${plain}`, plain);
    return plain === name ? known : text('earlier', { name: known });
  };
  const ofSomebody = entry.owner_name && entry.owner_name !== entry.target_name;
  return (
    <tr>
      <td>
        <span className={styles.action}>
          {textOf(text, `action.${entry.action}`, entry.action_label)}
          <span className={styles.target}>{entry.target_name}</span>
        </span>
        <span className={styles.note}>
          {ofSomebody && <span>{text('ofUser', { name: entry.owner_name })}</span>}
          {entry.reason && <span>{entry.reason}</span>}
          {detailsOf(entry).map(([name, value]) => (
            <span key={name}>
              {called(name)}: {shown(value)}
            </span>
          ))}
          <time dateTime={entry.created_at} className={styles.whenSmall}>
            {format.dateTime(entry.created_at)}
          </time>
        </span>
      </td>
      <td>
        {entry.actor_id ? (
          <button
            type="button"
            className={styles.actor}
            title={text('showBy', { name: entry.actor_name })}
            onClick={() => onActor(entry)}
          >
            {entry.actor_name}
          </button>
        ) : (
          <span className={styles.command}>{entry.actor_name || text('actingAs.system')}</span>
        )}
        <span className={styles.note}>
          <span>{text(`actingAs.${entry.acting_as}`)}</span>
          {entry.client_address && <span>{entry.client_address}</span>}
        </span>
      </td>
      <td className={styles.when}>
        <time dateTime={entry.created_at}>{format.dateTime(entry.created_at)}</time>
      </td>
    </tr>
  );
}

/** A text whose key came as data, of which a newer server may have more. */
function textOf(text: (key: AuditText) => string, key: string, fallback: string): string {
  return Object.hasOwn(auditTexts.en, key) ? text(key as AuditText) : fallback;
}

/** What changed; ids are left to the API. */
export function detailsOf(entry: AuditEntry): [string, Detail][] {
  return Object.entries(entry.details)
    .filter(([name, value]) => !name.endsWith('_id') && value !== null && value !== '')
    .map(([name, value]) => [name, typeof value === 'boolean' ? value : String(value)]);
}
