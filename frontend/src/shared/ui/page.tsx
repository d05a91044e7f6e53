import type { ReactNode } from 'react';

import { useI18n } from '../i18n/i18n';
import { cx } from '../lib/cx';
import { useTitle } from '../lib/hooks';
import styles from './page.module.css';

/** The frame of a screen: its name, what it is for, and its actions. */
export function Page({
  title,
  description,
  actions,
  narrow = false,
  children,
}: {
  title: string;
  description?: ReactNode;
  actions?: ReactNode;
  narrow?: boolean;
  children: ReactNode;
}) {
  const { t } = useI18n();
  useTitle(title, t('app.name'));
  return (
    <div className={cx(styles.page, narrow && styles.narrow)}>
      <header className={styles.header}>
        <div className={styles.heading}>
          <h1>{title}</h1>
          {description && <p>{description}</p>}
        </div>
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Card({
  title,
  actions,
  children,
  className,
  flush = false,
}: {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
  flush?: boolean;
}) {
  return (
    <section className={cx(styles.card, flush && styles.flush, className)}>
      {(title || actions) && (
        <header className={styles.cardHeader}>
          <h2>{title}</h2>
          {actions}
        </header>
      )}
      {children}
    </section>
  );
}
