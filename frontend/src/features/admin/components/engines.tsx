import type { EngineFacts, Worker } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { Card } from '@/shared/ui/page';

import { Capabilities } from './capabilities';
import { EngineState } from './engine-state';
import { useEngineTexts } from './engine-texts';
import styles from './engines.module.css';

interface Props {
  engines: readonly EngineFacts[];
  /** The installation's own choice. */
  own: string;
  workers: readonly Worker[];
}

/** All engines of an installation that has several, and how each is. */
export function Engines({ engines, own, workers }: Props) {
  const text = useEngineTexts();
  return (
    <Card title={text('engines')}>
      <ul className={styles.list}>
        {engines.map((facts) => (
          <Row
            key={facts.engine}
            facts={facts}
            own={facts.engine === own}
            workers={workers.filter(({ engines: names }) => names.includes(facts.engine)).length}
          />
        ))}
      </ul>
    </Card>
  );
}

function Row({ facts, own, workers }: { facts: EngineFacts; own: boolean; workers: number }) {
  const { t } = useI18n();
  const text = useEngineTexts();
  const { engine, label, ready, detail, capabilities } = facts;
  const told = [engine, workers > 0 ? text('workers', { n: workers }) : text('noWorker')];
  return (
    <li className={styles.row}>
      <span className={styles.name}>
        {label}
        {own && <span className={styles.own}>{text('own')}</span>}
      </span>
      <EngineState ready={ready} />
      <span className={styles.facts}>{told.join(' · ')}</span>
      {!ready && detail && <span className={styles.why}>{detail}</span>}
      {Object.keys(capabilities).length > 0 && (
        <details className={styles.more}>
          <summary>
            {t('engine.capabilities')}
            <span className="visually-hidden">: {label}</span>
          </summary>
          <Capabilities of={capabilities} />
        </details>
      )}
    </li>
  );
}
