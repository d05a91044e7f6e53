import { useI18n } from '@/shared/i18n/i18n';

import styles from './capabilities.module.css';

const KNOWN = {
  fps: 'engine.cap.fps',
  min_side_px: 'engine.cap.min_side_px',
  max_side_px: 'engine.cap.max_side_px',
  min_audio_s: 'engine.cap.min_audio_s',
  max_audio_s: 'engine.cap.max_audio_s',
  max_concurrent: 'engine.cap.max_concurrent',
  understands_prompt: 'engine.cap.understands_prompt',
} as const;

/** What an engine takes, of what has a name for people; its own name and label stand elsewhere. */
export function Capabilities({ of }: { of: Readonly<Record<string, unknown>> }) {
  const { t } = useI18n();
  const wording = (value: boolean | number | null) => {
    if (typeof value === 'boolean') return t(value ? 'common.yes' : 'common.no');
    return value === null ? t('engine.cap.unlimited') : String(value);
  };
  const names = Object.keys(of).filter((name): name is keyof typeof KNOWN => name in KNOWN);
  return (
    <dl className={styles.facts}>
      {names.map((name) => {
        const value = of[name];
        if (typeof value !== 'boolean' && typeof value !== 'number' && value !== null) return null;
        return (
          <div key={name}>
            <dt>{t(KNOWN[name])}</dt>
            <dd>{wording(value)}</dd>
          </div>
        );
      })}
    </dl>
  );
}
