import { useQuery } from '@tanstack/react-query';

import type { Worker } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { Notice } from '@/shared/ui/notice';
import { Card } from '@/shared/ui/page';

import { workersQuery } from '../api';
import { EngineState } from './engine-state';
import { useEngineTexts } from './engine-texts';
import styles from './workers.module.css';

/** The worker processes that live, and what each does. */
export function Workers() {
  const { t } = useI18n();
  const { data, isError } = useQuery(workersQuery);
  if (!data) return isError ? <Notice tone="warn">{t('workers.unknown')}</Notice> : null;
  return (
    <Card title={t('workers.title')}>
      {data.workers.length === 0 && <p>{t('workers.none')}</p>}
      <ul className={styles.list}>
        {data.workers.map((worker) => (
          <Row key={worker.id} worker={worker} />
        ))}
      </ul>
    </Card>
  );
}

function Row({ worker }: { worker: Worker }) {
  const { t, format } = useI18n();
  const text = useEngineTexts();
  const busy = worker.rendering.length;
  const engines = worker.engine_states;
  return (
    <li className={styles.row}>
      <span className={styles.name}>{worker.name}</span>
      <span className={styles.state} data-state={worker.state}>
        {t(`workers.state.${worker.state}`)}
      </span>
      <span className={styles.facts}>
        {[
          t('workers.busy', { busy, slots: worker.slots }),
          ...(engines.length > 1 ? [] : worker.engines),
          worker.version,
          t('workers.since', { time: format.dateTime(worker.started_at) }),
        ].join(' · ')}
      </span>
      {worker.detail && <span className={styles.why}>{worker.detail}</span>}
      {engines.length > 1 && (
        <ul className={styles.engines} aria-label={text('ofWorker', { name: worker.name })}>
          {engines.map(({ engine, label, ready, detail }) => (
            <li key={engine}>
              <span>{label}</span>
              <EngineState ready={ready} />
              {!ready && detail !== worker.detail && <span className={styles.why}>{detail}</span>}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}
