import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';

import { cx } from '../lib/cx';
import styles from './notice.module.css';

type Tone = 'bad' | 'warn' | 'ok' | 'info';

const ICONS = { bad: CircleAlert, warn: TriangleAlert, ok: CircleCheck, info: Info };

/** A message in its place; problems are announced to screen readers as they appear. */
export function Notice({
  tone = 'info',
  title,
  children,
  action,
}: {
  tone?: Tone;
  title?: ReactNode;
  children?: ReactNode;
  action?: ReactNode;
}) {
  const Icon = ICONS[tone];
  return (
    <div
      className={cx(styles.notice, styles[tone])}
      role={tone === 'bad' || tone === 'warn' ? 'alert' : 'status'}
    >
      <Icon size={18} aria-hidden="true" className={styles.icon} />
      <div className={styles.text}>
        {title && <strong>{title}</strong>}
        {children && <div>{children}</div>}
      </div>
      {action && <div className={styles.action}>{action}</div>}
    </div>
  );
}
