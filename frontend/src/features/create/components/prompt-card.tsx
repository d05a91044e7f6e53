import { useId } from 'react';

import { useI18n } from '@/shared/i18n/i18n';
import type { MessageKey } from '@/shared/i18n/translate';
import { Card } from '@/shared/ui/page';

import { draftStore } from '../draft';
import styles from './prompt-card.module.css';

/** Words that the portrait engine understands in both languages. */
const EXAMPLES: readonly MessageKey[] = [
  'create.example.smile',
  'create.example.nod',
  'create.example.camera',
  'create.example.lively',
  'create.example.calm',
  'create.example.serious',
  'create.example.surprised',
];

export function PromptCard({
  prompt,
  maxChars,
  unheard,
  locked,
}: {
  prompt: string;
  maxChars: number;
  /** That the engine follows no prompt; empty where it does, or none was typed. */
  unheard: string;
  locked: boolean;
}) {
  const { t } = useI18n();
  const id = useId();
  const add = (example: string) => {
    if (prompt.includes(example)) return;
    const separator = prompt.trim() ? t('create.promptSeparator') : '';
    draftStore.setPrompt(`${prompt.trim()}${separator}${example}`.slice(0, maxChars));
  };
  return (
    <Card
      title={<label htmlFor={id}>{t('create.prompt')}</label>}
      actions={<span className={styles.optional}>{t('common.optional')}</span>}
    >
      <textarea
        id={id}
        className={styles.text}
        rows={3}
        maxLength={maxChars}
        placeholder={t('create.promptPlaceholder')}
        value={prompt}
        readOnly={locked}
        aria-describedby={unheard ? `${id}-unheard` : undefined}
        onChange={(event) => draftStore.setPrompt(event.target.value)}
      />
      {/* There before its text is, so that screen readers tell of it. */}
      <p id={`${id}-unheard`} role="status" className={styles.unheard}>
        {unheard}
      </p>
      <ul className={styles.examples} aria-label={t('create.examples')}>
        {EXAMPLES.map((key) => (
          <li key={key}>
            <button type="button" disabled={locked} onClick={() => add(t(key))}>
              {t(key)}
            </button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
