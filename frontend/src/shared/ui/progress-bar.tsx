import { Progress } from 'radix-ui';

import { cx } from '../lib/cx';
import styles from './progress-bar.module.css';

export function ProgressBar({
  value,
  label,
  thin = false,
}: {
  /** 0 to 100. */
  value: number;
  label: string;
  thin?: boolean;
}) {
  const bounded = Math.min(100, Math.max(0, value));
  return (
    <Progress.Root
      value={Math.round(bounded)}
      aria-label={label}
      className={cx(styles.track, thin && styles.thin)}
    >
      <Progress.Indicator
        className={styles.fill}
        style={{ transform: `scaleX(${bounded / 100})` }}
      />
    </Progress.Root>
  );
}
