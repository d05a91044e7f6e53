import { Clapperboard, Gem, ShieldCheck } from 'lucide-react';

import type { ApiError } from '@/shared/api/errors';
import { problemsOf } from '@/shared/api/problems';
import type { DryRun } from '@/shared/api/types';
import { useI18n, type Translate } from '@/shared/i18n/i18n';
import { useProfile } from '@/shared/session/session';
import { Button } from '@/shared/ui/button';
import { Notice } from '@/shared/ui/notice';
import { Card } from '@/shared/ui/page';
import { ProgressBar } from '@/shared/ui/progress-bar';

import type { Draft } from '../draft';
import type { Sending } from '../send';
import type { useSubmission } from '../submission';
import { useCreateTexts } from '../texts';
import styles from './summary-card.module.css';

/** The first thing that keeps the batch from being submitted, or null. */
function obstacle(
  draft: Draft,
  price: number,
  credits: number | undefined,
  t: Translate,
): string | null {
  if (draft.images.length === 0) return t('create.needImages');
  if (!draft.audio) return draft.audioLoading ? t('create.audioLoading') : t('create.needAudio');
  const bad = draft.images.filter((image) => image.problem).length;
  if (bad > 0) return t('create.fixImages', { n: bad });
  if (draft.audio.problem) return t('create.fixAudio');
  if (credits !== undefined && credits < price) {
    return t('create.needCredits', { n: price - credits });
  }
  return null;
}

interface Props {
  draft: Draft;
  /** Credits that one video costs, until a check has told. */
  estimate: number;
  /** Why the estimate does not hold; null: it does. */
  untold: 'priceVaries' | 'priceUnknown' | 'engineGone' | null;
  /** There are several engines to choose from. */
  choice: boolean;
  submission: ReturnType<typeof useSubmission>;
}

export function SummaryCard({ draft, estimate, untold: reason, choice, submission }: Props) {
  const { t, format } = useI18n();
  const text = useCreateTexts();
  const explain = useRefusalText();
  const credits = useProfile().data?.credits;
  const count = draft.images.length;
  const { sending, passed, unheard, broken, refusal } = submission;
  const each = passed?.price_per_image ?? estimate;
  const price = count * each;
  const untold = passed ? null : reason;
  // With an engine that was withdrawn since, it may have been accepted unheard: the server knows it then.
  const unchecked = untold && untold !== 'engineGone' && !unheard ? text(untold) : null;
  // What was accepted unheard is paid: sent again, it costs nothing more.
  const due = untold || unheard ? 0 : price;
  const blocked = obstacle(draft, due, credits, t) ?? unchecked;
  const short = credits !== undefined && credits < due;

  return (
    <Card className={styles.card}>
      <dl className={styles.sums}>
        <div>
          <dt>{t('create.price')}</dt>
          <dd>{untold ? '–' : t('create.credits', { n: price })}</dd>
        </div>
        {each > 1 && !untold && (
          <div>
            <dt>{t('create.priceEach')}</dt>
            <dd>{t('create.priceSum', { count, each })}</dd>
          </div>
        )}
        <div>
          <dt>{t('create.balanceAfter')}</dt>
          <dd className={short ? styles.short : undefined}>
            <Gem size={15} aria-hidden="true" />
            {untold || unheard || credits === undefined ? '–' : format.number(credits - price)}
          </dd>
        </div>
      </dl>
      {short && (
        <Notice tone="warn" title={t('create.shortTitle')}>
          {t('create.shortText', { required: price, available: credits })}
        </Notice>
      )}
      {broken && (
        <Notice tone="bad" title={t('create.connectionTitle')}>
          {t('create.connectionText')}
        </Notice>
      )}
      {refusal && (
        <Notice tone="bad" title={broken ? null : t('create.failedTitle')}>
          {explain(refusal)}
        </Notice>
      )}
      {passed && !sending && <Passed answer={passed} choice={choice} />}
      {sending ? (
        <Sent sending={sending} onCancel={submission.cancel} />
      ) : (
        <div className={styles.buttons}>
          <Button
            variant="primary"
            size="lg"
            block
            icon={<Clapperboard size={18} />}
            disabled={blocked !== null}
            aria-describedby={blocked ? 'submit-obstacle' : undefined}
            onClick={submission.submit}
          >
            {broken ? t('create.submitAgain') : t('create.submit', { n: count })}
          </Button>
          <Button
            variant="ghost"
            block
            icon={<ShieldCheck size={16} />}
            disabled={draft.images.length === 0 || !draft.audio}
            onClick={submission.check}
          >
            <span className={styles.checkText}>{t('create.check')}</span>
          </Button>
        </div>
      )}
      {!sending && (
        <p id="submit-obstacle" className={styles.note}>
          {blocked ?? t('create.refundNote')}
        </p>
      )}
    </Card>
  );
}

/** That the server would take it all, by whom it would be made, and what else is worth knowing. */
function Passed({ answer, choice }: { answer: DryRun; choice: boolean }) {
  const { t } = useI18n();
  const text = useCreateTexts();
  return (
    <>
      <Notice tone="ok">
        {choice ? text('madeBy', { engine: answer.engine.label }) : t('create.checkPassed')}
      </Notice>
      {answer.notices.map(({ code, detail }) => (
        <Notice key={code}>{detail}</Notice>
      ))}
    </>
  );
}

/** Why nothing was submitted: where no file is to blame, in the words of the server. */
function useRefusalText(): (failure: ApiError) => string {
  const { explain } = useI18n();
  return (failure) => {
    const { images, audio } = problemsOf(failure);
    const ofFiles = images.length > 0 || audio !== null;
    if (failure.code !== 'invalid_batch' || ofFiles || !failure.detail) return explain(failure);
    return failure.detail;
  };
}

function Sent({ sending, onCancel }: { sending: Sending; onCancel: () => void }) {
  const { t, format } = useI18n();
  const share = sending.total > 0 ? sending.sent / sending.total : 0;
  const arrived = share >= 1;
  return (
    <div className={styles.sending}>
      <div className={styles.sendingText}>
        <span role="status">
          {arrived
            ? t('create.examining')
            : t(sending.kind === 'check' ? 'create.checking' : 'create.uploading')}
        </span>
        <span className="tabular">
          {format.bytes(sending.sent)} / {format.bytes(sending.total)}
        </span>
      </div>
      <ProgressBar value={share * 100} label={t('create.uploading')} />
      <Button size="sm" onClick={onCancel}>
        {t('create.cancelUpload')}
      </Button>
    </div>
  );
}
