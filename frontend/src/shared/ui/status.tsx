import { Ban, Check, CircleDashed, LoaderCircle, TriangleAlert, X } from 'lucide-react';

import type { BatchStatus, ItemStatus } from '../api/types';
import { useI18n } from '../i18n/i18n';
import { cx } from '../lib/cx';
import styles from './status.module.css';

const ICONS = {
  pending: CircleDashed,
  processing: LoaderCircle,
  completed: Check,
  partial: TriangleAlert,
  failed: X,
  cancelled: Ban,
};

/** A state as icon, colour and word, so that none of them carries it alone. */
export function StatusBadge({ status }: { status: BatchStatus | ItemStatus }) {
  const { t } = useI18n();
  const Icon = ICONS[status];
  return (
    <span className={cx(styles.badge, styles[status])}>
      <Icon size={13} strokeWidth={2.4} aria-hidden="true" />
      {t(`status.${status}`)}
    </span>
  );
}

export function StatusDot({ status }: { status: BatchStatus }) {
  const { t } = useI18n();
  const Icon = ICONS[status];
  return (
    <span className={cx(styles.dot, styles[status])}>
      <Icon size={12} strokeWidth={2.6} aria-hidden="true" />
      <span className="visually-hidden">{t(`status.${status}`)}</span>
    </span>
  );
}
