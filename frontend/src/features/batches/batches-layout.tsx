import { Outlet, useParams } from 'react-router';

import { cx } from '@/shared/lib/cx';
import { useIsPhone } from '@/shared/lib/hooks';

import styles from './batches-layout.module.css';
import { BatchSidebar } from './components/batch-sidebar';

/** The folders beside what is open in them; a phone shows one of the two. */
export function BatchesLayout() {
  const open = useParams().batchId !== undefined;
  const phone = useIsPhone();
  return (
    <div className={styles.layout}>
      {(!phone || !open) && (
        <div className={cx(styles.sidebar)}>
          <BatchSidebar />
        </div>
      )}
      {(!phone || open) && (
        <div className={styles.content}>
          <Outlet />
        </div>
      )}
    </div>
  );
}
