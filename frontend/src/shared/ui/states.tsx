import { CloudOff, RotateCw } from 'lucide-react';
import type { CSSProperties, ReactNode } from 'react';

import { toApiError } from '../api/errors';
import { useI18n } from '../i18n/i18n';
import { useSlow } from '../lib/hooks';
import { Button } from './button';
import { Spinner } from './spinner';
import styles from './states.module.css';

/** What a list shows when there is nothing in it, and what to do about it. */
export function EmptyState({
  icon,
  title,
  children,
  action,
}: {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className={styles.empty}>
      <div className={styles.emptyIcon} aria-hidden="true">
        {icon}
      </div>
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

/** A failed load, in its place, with another try. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t, explain } = useI18n();
  const offline = toApiError(error).isConnection;
  return (
    <div className={styles.empty} role="alert">
      <div className={styles.emptyIcon} aria-hidden="true">
        <CloudOff size={26} />
      </div>
      <h2>{offline ? t('state.offlineTitle') : t('state.errorTitle')}</h2>
      <p>{explain(error)}</p>
      <Button icon={<RotateCw size={16} />} onClick={onRetry}>
        {t('common.retry')}
      </Button>
    </div>
  );
}

export function Skeleton({ style, className }: { style?: CSSProperties; className?: string }) {
  return <div className={[styles.skeleton, className].filter(Boolean).join(' ')} style={style} />;
}

/** Placeholder lines while something loads; says so once it takes long. */
export function Loading({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const slow = useSlow(true);
  return (
    <div aria-busy="true">
      <span className="visually-hidden" role="status">
        {t('common.loading')}
      </span>
      {slow && (
        <p className={styles.slow} role="status">
          <Spinner size={16} /> {t('state.slow')}
        </p>
      )}
      <div aria-hidden="true">{children}</div>
    </div>
  );
}

export function PageSpinner() {
  const { t } = useI18n();
  return (
    <div className={styles.page} role="status">
      <Spinner size={26} />
      <span className="visually-hidden">{t('common.loading')}</span>
    </div>
  );
}
