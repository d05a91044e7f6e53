import { CircleCheck, CircleX } from 'lucide-react';

import { useI18n } from '@/shared/i18n/i18n';

import styles from './engines.module.css';

/** Whether an engine could render now, as icon, colour and words. */
export function EngineState({ ready }: { ready: boolean }) {
  const { t } = useI18n();
  const Icon = ready ? CircleCheck : CircleX;
  return (
    <span className={styles.state} data-ready={ready}>
      <Icon size={15} aria-hidden="true" />
      {t(ready ? 'engine.ready' : 'engine.notReady')}
    </span>
  );
}
