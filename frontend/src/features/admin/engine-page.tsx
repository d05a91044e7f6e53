import { useQuery } from '@tanstack/react-query';
import { CircleCheck, CircleX } from 'lucide-react';

import type { EngineStatus } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { cx } from '@/shared/lib/cx';
import { Notice } from '@/shared/ui/notice';
import { Card } from '@/shared/ui/page';
import { ErrorState, Loading, Skeleton } from '@/shared/ui/states';

import { credentialsQuery, engineQuery, tokenStatusQuery, workersQuery } from './api';
import { Credentials } from './components/credentials';
import { Workers } from './components/workers';
import styles from './engine-page.module.css';

export function EnginePage() {
  const engine = useQuery(engineQuery);
  // Waited for as well: their lists would push down what stands below them.
  const workers = useQuery(workersQuery);
  const credentials = useQuery(credentialsQuery);
  if (engine.isPending || workers.isPending || credentials.isPending) {
    return (
      <Loading>
        <Skeleton style={{ height: 130, marginBottom: 18 }} />
        <Skeleton style={{ height: 220 }} />
      </Loading>
    );
  }
  if (!engine.data)
    return <ErrorState error={engine.error} onRetry={() => void engine.refetch()} />;
  return <Engine status={engine.data} stale={engine.isError} />;
}

function Engine({ status, stale }: { status: EngineStatus; stale: boolean }) {
  const { t, format } = useI18n();
  const token = useQuery(tokenStatusQuery).data;
  const facts = Object.entries(status.capabilities).filter(
    ([, value]) => typeof value !== 'object' || value === null,
  );
  return (
    <div className={styles.stack}>
      {stale && <Notice tone="warn">{t('state.stale')}</Notice>}
      <Card>
        <div className={styles.head}>
          <span
            className={cx(styles.sign, status.ready ? styles.ok : styles.bad)}
            aria-hidden="true"
          >
            {status.ready ? <CircleCheck size={26} /> : <CircleX size={26} />}
          </span>
          <div>
            <h2>{status.label}</h2>
            <p className={styles.state}>{t(status.ready ? 'engine.ready' : 'engine.notReady')}</p>
          </div>
        </div>
        {!status.ready && status.detail && <Notice tone="bad">{status.detail}</Notice>}
        {token && !token.valid && token.error && token.error !== status.detail && (
          <Notice tone="bad">{token.error}</Notice>
        )}
      </Card>
      <dl className={styles.tiles}>
        <div>
          <dt>{t('engine.processing')}</dt>
          <dd>{format.number(status.queue.processing)}</dd>
        </div>
        <div>
          <dt>{t('engine.pending')}</dt>
          <dd>{format.number(status.queue.pending)}</dd>
        </div>
      </dl>
      <Credentials />
      <Workers />
      <Card title={t('engine.capabilities')}>
        <dl className={styles.facts}>
          {facts.map(([name, value]) => (
            <Fact key={name} name={name} value={value} />
          ))}
        </dl>
      </Card>
    </div>
  );
}

const KNOWN = {
  fps: 'engine.cap.fps',
  min_side_px: 'engine.cap.min_side_px',
  max_side_px: 'engine.cap.max_side_px',
  min_audio_s: 'engine.cap.min_audio_s',
  max_audio_s: 'engine.cap.max_audio_s',
  max_concurrent: 'engine.cap.max_concurrent',
  understands_prompt: 'engine.cap.understands_prompt',
} as const;

function Fact({ name, value }: { name: string; value: unknown }) {
  const { t } = useI18n();
  const label = name in KNOWN ? t(KNOWN[name as keyof typeof KNOWN]) : null;
  // The engine's name and label stand above already; what has no name for people is left out.
  if (!label || (typeof value !== 'boolean' && typeof value !== 'number' && value !== null)) {
    return null;
  }
  const text =
    typeof value === 'boolean'
      ? t(value ? 'common.yes' : 'common.no')
      : value === null
        ? t('engine.cap.unlimited')
        : String(value);
  return (
    <div>
      <dt>{label}</dt>
      <dd>{text}</dd>
    </div>
  );
}
