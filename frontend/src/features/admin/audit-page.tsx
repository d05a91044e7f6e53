import { useInfiniteQuery } from '@tanstack/react-query';
import { ClipboardList } from 'lucide-react';
import { useState } from 'react';

import type { AuditAction, AuditEntry } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { useDebounced, useWhenVisible } from '@/shared/lib/hooks';
import { Button } from '@/shared/ui/button';
import { DateField } from '@/shared/ui/date-field';
import { SearchField } from '@/shared/ui/field';
import { Select } from '@/shared/ui/select';
import { Spinner } from '@/shared/ui/spinner';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/shared/ui/states';

import { auditQuery, type AuditFilters } from './api';
import styles from './audit-page.module.css';
import { auditTexts } from './audit-texts';

/** All of them: the type names whichever is missing. */
const ACTIONS: Record<AuditAction, true> = {
  'user.create': true,
  'user.activate': true,
  'user.deactivate': true,
  'user.password': true,
  'user.sessions_end': true,
  'user.group': true,
  'user.site_enter': true,
  'user.unlock': true,
  'user.totp_on': true,
  'user.totp_off': true,
  'credits.set': true,
  'credits.adjust': true,
  'credits.topup': true,
  'rule.create': true,
  'rule.change': true,
  'rule.delete': true,
  'credential.set': true,
  'credential.remove': true,
  'batch.create': true,
  'batch.rename': true,
  'batch.first': true,
  'batch.cancel': true,
  'batch.retry_failed': true,
  'batch.delete': true,
  'item.cancel': true,
  'item.retry': true,
  'item.replace': true,
  'item.delete': true,
  'share.create': true,
  'share.revoke': true,
  'group.create': true,
  'group.change': true,
  'group.delete': true,
};

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
          label={t('audit.search')}
          value={filters.search}
          onChange={(search) => change({ search })}
        />
        <Select<AuditFilters['action']>
          label={t('audit.actionFilter')}
          value={filters.action}
          onChange={(action) => change({ action })}
          options={[
            { value: 'all', label: t('audit.allActions') },
            ...(Object.keys(ACTIONS) as AuditAction[]).map((value) => ({
              value,
              label: t(`action.${value}`),
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
      {filters.actor && <p className={styles.only}>{t('audit.onlyBy', { name: actorName })}</p>}
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
  const { t } = useI18n();
  const log = useInfiniteQuery(auditQuery(filters));
  const end = useWhenVisible(
    () => void log.fetchNextPage(),
    log.hasNextPage && !log.isFetchingNextPage && !log.isError,
  );
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
      <EmptyState icon={<ClipboardList size={26} />} title={t('audit.emptyTitle')}>
        {t('audit.emptyText')}
      </EmptyState>
    );
  }
  return (
    <>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{t('audit.what')}</th>
            <th scope="col">{t('audit.who')}</th>
            <th scope="col" className={styles.when}>
              {t('audit.when')}
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <Row key={entry.id} entry={entry} onActor={onActor} />
          ))}
        </tbody>
      </table>
      <div ref={end} className={styles.end}>
        {log.isFetchingNextPage && <Spinner />}
      </div>
    </>
  );
}

function Row({ entry, onActor }: { entry: AuditEntry; onActor: (entry: AuditEntry) => void }) {
  const { t, format, codeText, language } = useI18n();
  const text = auditTexts[language];
  const shown = (value: Detail) => {
    if (typeof value === 'boolean') return t(value ? 'common.yes' : 'common.no');
    if (STATUSES.has(value as Status)) return t(`status.${value as Status}`);
    return INSTANT.test(String(value)) ? format.dateTime(String(value)) : String(value);
  };
  const called = (name: string) => {
    const plain = name.replace(/_before$/, '');
    const known = text.names[plain] ?? plain;
    return plain === name ? known : text.earlier(known);
  };
  const ofSomebody = entry.owner_name && entry.owner_name !== entry.target_name;
  return (
    <tr>
      <td>
        <span className={styles.action}>
          {codeText('action', entry.action, entry.action_label)}
          <span className={styles.target}>{entry.target_name}</span>
        </span>
        <span className={styles.note}>
          {ofSomebody && <span>{t('audit.ofUser', { name: entry.owner_name })}</span>}
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
            title={t('audit.showBy', { name: entry.actor_name })}
            onClick={() => onActor(entry)}
          >
            {entry.actor_name}
          </button>
        ) : (
          <span className={styles.command}>{entry.actor_name || t('actingAs.system')}</span>
        )}
        <span className={styles.note}>
          <span>{t(`actingAs.${entry.acting_as}`)}</span>
          {entry.client_address && <span>{entry.client_address}</span>}
        </span>
      </td>
      <td className={styles.when}>
        <time dateTime={entry.created_at}>{format.dateTime(entry.created_at)}</time>
      </td>
    </tr>
  );
}

/** What changed; ids are left to the API. */
export function detailsOf(entry: AuditEntry): [string, Detail][] {
  return Object.entries(entry.details)
    .filter(([name, value]) => !name.endsWith('_id') && value !== null && value !== '')
    .map(([name, value]) => [name, typeof value === 'boolean' ? value : String(value)]);
}
