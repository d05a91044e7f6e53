import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';

import type { Usage } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { Card } from '@/shared/ui/page';
import { Segmented } from '@/shared/ui/segmented';
import { ErrorState, Loading, Skeleton } from '@/shared/ui/states';

import { usageQuery } from './api';
import styles from './usage-page.module.css';

// The chart library is by far the largest part; it comes when there is something to draw.
const DayChart = lazy(async () => ({ default: (await import('./components/day-chart')).DayChart }));

type Span = '7' | '30' | '90';

export function UsagePage() {
  const { t } = useI18n();
  const [span, setSpan] = useState<Span>('30');
  const usage = useQuery(usageQuery(Number(span)));
  return (
    <>
      <div className={styles.bar}>
        <Segmented<Span>
          label={t('usage.span')}
          value={span}
          onChange={setSpan}
          options={(['7', '30', '90'] as const).map((value) => ({
            value,
            label: t('usage.days', { n: Number(value) }),
          }))}
        />
      </div>
      {usage.isPending ? (
        <Loading>
          <Skeleton style={{ height: 96, marginBottom: 18 }} />
          <Skeleton style={{ height: 300 }} />
        </Loading>
      ) : usage.data ? (
        <Figures usage={usage.data} />
      ) : (
        <ErrorState error={usage.error} onRetry={() => void usage.refetch()} />
      )}
    </>
  );
}

function sum(
  usage: Usage,
  name: 'videos' | 'failed' | 'credits_charged' | 'credits_refunded',
): number {
  return usage.days.reduce((total, day) => total + day[name], 0);
}

function Figures({ usage }: { usage: Usage }) {
  const { t, format, codeText } = useI18n();
  const videos = sum(usage, 'videos');
  const failed = sum(usage, 'failed');
  const rate = videos + failed > 0 ? Math.round((videos / (videos + failed)) * 100) : null;
  const tiles = [
    { label: t('usage.videos'), value: format.number(videos) },
    { label: t('usage.successRate'), value: rate === null ? '–' : `${rate}%` },
    { label: t('usage.activeUsers'), value: format.number(usage.totals.active_users) },
    { label: t('usage.charged'), value: format.number(sum(usage, 'credits_charged')) },
    { label: t('usage.refunded'), value: format.number(sum(usage, 'credits_refunded')) },
  ];
  return (
    <div className={styles.stack}>
      <dl className={styles.tiles}>
        {tiles.map((tile) => (
          <div key={tile.label}>
            <dt>{tile.label}</dt>
            <dd>{tile.value}</dd>
          </div>
        ))}
      </dl>
      <Suspense fallback={<Skeleton style={{ height: 320 }} />}>
        <div className={styles.pair}>
          <Card title={t('usage.videosByDay')}>
            <DayChart
              days={usage.days}
              label={t('usage.videosByDay')}
              series={[
                { name: 'videos', label: t('usage.videos'), tone: 'accent' },
                { name: 'failed', label: t('status.failed'), tone: 'bad' },
              ]}
            />
          </Card>
          <Card title={t('usage.creditsByDay')}>
            <DayChart
              days={usage.days}
              label={t('usage.creditsByDay')}
              series={[
                { name: 'credits_charged', label: t('usage.charged'), tone: 'ok' },
                { name: 'credits_refunded', label: t('usage.refunded'), tone: 'warn' },
              ]}
            />
          </Card>
        </div>
      </Suspense>
      <div className={styles.pair}>
        <Card title={t('usage.failures')}>
          <Bars
            empty={t('usage.noFailures')}
            rows={usage.failures.map(({ code, count }) => ({
              key: code,
              label: codeText('error', code, code || t('error.unknown')),
              value: count,
            }))}
          />
        </Card>
        <Card title={t('usage.busiest')}>
          <Bars
            empty={t('usage.noUsers')}
            rows={usage.users.map((user) => ({
              key: user.id,
              label: user.username,
              value: user.videos,
            }))}
          />
        </Card>
      </div>
    </div>
  );
}

function Bars({
  rows,
  empty,
}: {
  rows: { key: string; label: string; value: number }[];
  empty: string;
}) {
  const { format } = useI18n();
  const most = Math.max(1, ...rows.map((row) => row.value));
  if (rows.length === 0) return <p className={styles.empty}>{empty}</p>;
  return (
    <ul className={styles.bars}>
      {rows.map((row) => (
        <li key={row.key}>
          <span className={styles.barLabel}>{row.label}</span>
          <span className={styles.barValue}>{format.number(row.value)}</span>
          <span className={styles.barTrack} aria-hidden="true">
            <span style={{ width: `${(row.value / most) * 100}%` }} />
          </span>
        </li>
      ))}
    </ul>
  );
}
