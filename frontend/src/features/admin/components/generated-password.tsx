import { Check, Copy, KeyRound } from 'lucide-react';
import { useState } from 'react';

import { useI18n } from '@/shared/i18n/i18n';
import { Button } from '@/shared/ui/button';
import { Notice } from '@/shared/ui/notice';

import styles from './dialogs.module.css';

/** The generated password: shown this once, because the server keeps only its hash. */
export function GeneratedPassword({ username, password }: { username: string; password?: string }) {
  const { t } = useI18n();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(password ?? '');
    setCopied(true);
  };
  return (
    <div className={styles.form}>
      <dl className={styles.secret}>
        <dt>{t('login.username')}</dt>
        <dd>{username}</dd>
        <dt>{t('login.password')}</dt>
        <dd data-testid="generated-password">{password ?? '–'}</dd>
      </dl>
      {'clipboard' in navigator && (
        <Button
          icon={copied ? <Check size={16} /> : <Copy size={16} />}
          onClick={() => void copy()}
        >
          {t(copied ? 'common.copied' : 'users.copyPassword')}
        </Button>
      )}
      <Notice tone="warn">
        <KeyRound size={14} aria-hidden="true" className={styles.inline} />{' '}
        {t('users.passwordOnce')}
      </Notice>
    </div>
  );
}
