import { useQuery } from '@tanstack/react-query';
import { CircleCheck, CircleX } from 'lucide-react';

import type { EngineStatus } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { cx } from '@/shared/lib/cx';
import { Notice } from '@/shared/ui/notice';
import { Card } from '@/shared/ui/page';
import { ErrorState, Loading, Skeleton } from '@/shared/ui/states';

import { credentialsQuery, engineQuery, tokenStatusQuery, workersQuery } from './api';
import { Capabilities } from './components/capabilities';
import { Credentials } from './components/credentials';
import { Engines } from './components/engines';
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
  const workers = useQuery(workersQuery).data;
  const engines = workers?.engines ?? status.engines;
  const several = engines.length > 1;
  return (
    <div className={styles.stack}>
      {stale && <Notice tone="warn">{t('state.stale')}</Notice>}
      {several ? (
        <Engines engines={engines} own={status.engine} workers={workers?.workers ?? []} />
      ) : (
        <Only status={status} />
      )}
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
      {!several && (
        <Card title={t('engine.capabilities')}>
          <Capabilities of={status.capabilities} />
        </Card>
      )}
    </div>
  );
}

/** The engine of an installation that has one. */
function Only({ status }: { status: EngineStatus }) {
  const { t } = useI18n();
  const token = useQuery(tokenStatusQuery).data;
  return (
    <Card>
      <div className={styles.head}>
        <span className={cx(styles.sign, status.ready ? styles.ok : styles.bad)} aria-hidden="true">
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
  );
}
