import { Bell, BellRing } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';

import type { Batch, Progress } from '@/shared/api/types';
import { useI18n, type Translate } from '@/shared/i18n/i18n';
import type { Formatter } from '@/shared/i18n/format';
import { useRefreshBalance } from '@/shared/session/session';

import { Button } from '@/shared/ui/button';

import { setNotices, useNotices } from '../notices';
import { isMoving } from '../polling';
import styles from './batch-progress.module.css';

const PARTS = ['completed', 'processing', 'failed', 'cancelled'] as const;

/** When it will be done, waiting and rendering told apart, as one sentence. */
export function etaSentence(progress: Progress, t: Translate, format: Formatter): string {
  const { queue_position: position, eta_seconds: eta } = progress;
  const waiting = progress.eta_waiting_seconds ?? 0;
  const parts: string[] = [];
  if (progress.processing === 0 && position !== null && position > 0) {
    parts.push(t('batch.queuePosition', { n: position }));
  }
  if (eta === null) {
    if (parts.length === 0) parts.push(t('batch.etaUnknown'));
  } else if (waiting >= 1 && progress.processing === 0) {
    const rendering = progress.eta_rendering_seconds ?? Math.max(0, eta - waiting);
    parts.push(
      t('batch.etaSplit', { waiting: format.span(waiting), rendering: format.span(rendering) }),
    );
  } else {
    parts.push(t('batch.eta', { time: format.span(eta) }));
  }
  return parts.join(t('common.separator'));
}

/** Percent of the bar for each part. What is being rendered counts by how far it is, not by its number. */
export function sharesOf(progress: Progress): Record<(typeof PARTS)[number], number> {
  const share = (count: number) => (count / Math.max(1, progress.total)) * 100;
  const settled = share(progress.completed + progress.failed + progress.cancelled);
  return {
    completed: share(progress.completed),
    processing: Math.max(0, progress.overall_progress - settled),
    failed: share(progress.failed),
    cancelled: share(progress.cancelled),
  };
}

/** Asks to be told when a batch is done, once for all of them. */
function NoticesButton() {
  const { t } = useI18n();
  const notices = useNotices();
  if (notices === 'unsupported' || notices === 'denied') return null;
  const on = notices === 'on';
  return (
    <Button
      size="sm"
      variant="ghost"
      aria-pressed={on}
      icon={on ? <BellRing size={15} /> : <Bell size={15} />}
      onClick={() => void setNotices(!on)}
    >
      {t(on ? 'notices.on' : 'notices.ask')}
    </Button>
  );
}

export function BatchProgress({ batch }: { batch: Batch }) {
  const { t, format } = useI18n();
  const { progress } = batch;
  const moving = isMoving(progress);
  const announcement = useFinishAnnouncement(progress, t);
  const shares = sharesOf(progress);
  // Stays once it was there, with how it ended: what stands below must not jump under somebody's finger.
  const [begun, setBegun] = useState(moving);
  if (moving && !begun) setBegun(true);

  return (
    <>
      <p className="visually-hidden" role="status">
        {announcement}
      </p>
      {begun && (
        <section className={styles.panel} aria-label={t('batch.progress')}>
          <div className={styles.numbers}>
            <strong className={styles.percent}>{Math.round(progress.overall_progress)}%</strong>
            <span className={styles.counts}>
              {moving
                ? t('batch.counts', {
                    completed: progress.completed,
                    processing: progress.processing,
                    pending: progress.pending,
                  })
                : t('batch.finished', {
                    completed: progress.completed,
                    failed: progress.failed,
                    cancelled: progress.cancelled,
                  })}
            </span>
            <span className={styles.eta}>{moving && etaSentence(progress, t, format)}</span>
            <NoticesButton />
          </div>
          <div
            role="progressbar"
            aria-label={t('batch.progress')}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(progress.overall_progress)}
            className={styles.track}
          >
            {PARTS.map((part) =>
              shares[part] > 0 ? (
                <span key={part} className={styles[part]} style={{ width: `${shares[part]}%` }} />
              ) : null,
            )}
          </div>
        </section>
      )}
    </>
  );
}

/** Tells screen readers of the end, and has the balance read again: failed items were refunded. */
function useFinishAnnouncement(progress: Progress, t: Translate): string {
  const [text, setText] = useState('');
  const refreshBalance = useRefreshBalance();
  const settled = progress.completed + progress.failed + progress.cancelled;
  const before = useRef(settled);
  useEffect(() => {
    if (settled === before.current) return;
    before.current = settled;
    refreshBalance();
    setText(
      isMoving(progress)
        ? t('batches.done', { done: progress.completed, total: progress.total })
        : t('batch.finished', {
            completed: progress.completed,
            failed: progress.failed,
            cancelled: progress.cancelled,
          }),
    );
  }, [settled, progress, t, refreshBalance]);
  return text;
}
