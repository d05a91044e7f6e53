import { useId } from 'react';

import type { FileProblem } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { Notice } from '@/shared/ui/notice';
import { Card } from '@/shared/ui/page';

import { draftStore } from '../draft';
import type { Offer, Offers } from '../offers';
import { exactLength, useCreateTexts } from '../texts';
import styles from './engine-card.module.css';

interface Props {
  offers: Offers;
  /** Null: what was chosen is not offered any more. */
  chosen: Offer | null;
  /** What is wrong with the choice. */
  problem: FileProblem | null;
  locked: boolean;
}

/** Which engine makes the videos, where the user has a choice. */
export function EngineCard({ offers, chosen, problem, locked }: Props) {
  const { reason } = useI18n();
  const text = useCreateTexts();
  const id = useId();
  return (
    <Card title={<span id={id}>{text('engine')}</span>}>
      <div
        role="radiogroup"
        aria-labelledby={id}
        aria-describedby={problem ? `${id}-problem` : undefined}
        className={styles.options}
      >
        {[offers.automatic, ...offers.engines].map((offer) => (
          <Option
            key={offer.name}
            offer={offer}
            group={id}
            checked={offer.name === chosen?.name}
            locked={locked}
          />
        ))}
      </div>
      {problem && (
        <div id={`${id}-problem`} className={styles.problem}>
          <Notice tone="bad">{reason(problem.code, problem.detail)}</Notice>
        </div>
      )}
    </Card>
  );
}

function Option({
  offer,
  group,
  checked,
  locked,
}: {
  offer: Offer;
  group: string;
  checked: boolean;
  locked: boolean;
}) {
  const { t } = useI18n();
  const text = useCreateTexts();
  const { name, label: engine, ready, detail } = offer;
  const id = `${group}-${name}`;
  return (
    <label className={styles.option}>
      <input
        type="radio"
        name={group}
        value={name}
        checked={checked}
        disabled={locked}
        aria-labelledby={`${id}-label`}
        aria-describedby={`${id}-facts`}
        className="visually-hidden"
        onChange={() => draftStore.setEngine(name)}
      />
      <span className={styles.mark} aria-hidden="true" />
      <span className={styles.text}>
        <span id={`${id}-label`} className={styles.label}>
          {name ? engine : text('automatic', { engine })}
        </span>
        <span id={`${id}-facts`} className={styles.facts}>
          {name ? <Facts of={offer} /> : <span>{text('automaticText')}</span>}
          {!ready && <strong className={styles.away}>{t('engine.notReady')}</strong>}
          {!ready && name !== '' && <span>{detail}</span>}
        </span>
      </span>
    </label>
  );
}

/** The price, and what it takes. */
function Facts({ of: { limits, followsPrompt } }: { of: Offer }) {
  const text = useCreateTexts();
  const each = limits.credits_per_started_s;
  const length = (seconds: number) => exactLength(seconds, text);
  const least = length(limits.audio_min_s);
  const most = length(limits.audio_max_s);
  return (
    <>
      <span>{each > 0 ? text('byLength', { time: length(each) }) : text('flat')}</span>
      <span>
        {text('recording', { least, most })} ·{' '}
        {text(followsPrompt ? 'promptFollowed' : 'promptIgnored')}
      </span>
    </>
  );
}
