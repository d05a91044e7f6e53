import { useQueryClient } from '@tanstack/react-query';
import { Gem } from 'lucide-react';
import { useEffect } from 'react';
import { Link } from 'react-router';

import { useI18n } from '@/shared/i18n/i18n';
import { Ledger } from '@/shared/ledger/ledger';
import { useProfile } from '@/shared/session/session';
import { ButtonLink } from '@/shared/ui/button';
import { Page } from '@/shared/ui/page';

import styles from './credits-page.module.css';

export function CreditsPage() {
  const { t, format } = useI18n();
  const credits = useProfile().data?.credits;
  const client = useQueryClient();

  // A new balance means new entries.
  useEffect(() => {
    void client.invalidateQueries({ queryKey: ['ledger'] });
  }, [client, credits]);

  return (
    <Page title={t('credits.title')} description={t('credits.text')} narrow>
      <section className={styles.hero} aria-label={t('credits.balance')}>
        <div>
          <p className={styles.label}>{t('credits.balance')}</p>
          <p className={styles.value}>
            <Gem size={26} aria-hidden="true" />
            {credits === undefined ? '–' : format.number(credits)}
          </p>
          <p className={styles.label}>
            {credits === undefined ? '\u00a0' : t('credits.enoughFor', { n: credits })}
          </p>
        </div>
        <ButtonLink variant="secondary">
          <Link to="/new">{t('nav.new')}</Link>
        </ButtonLink>
      </section>
      <Ledger path="/api/user/credits" />
    </Page>
  );
}
