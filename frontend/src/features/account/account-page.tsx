import { useMutation } from '@tanstack/react-query';
import { LogOut, Monitor, Moon, Sun } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { useNavigate } from 'react-router';

import { request } from '@/shared/api/client';
import { saveTokens } from '@/shared/api/tokens';
import { useI18n } from '@/shared/i18n/i18n';
import type { LanguageChoice } from '@/shared/i18n/language';
import { useProfile, useSignOut } from '@/shared/session/session';
import { setTheme, useTheme, type Theme } from '@/shared/theme/theme';
import { Button } from '@/shared/ui/button';
import { ConfirmDialog } from '@/shared/ui/dialog';
import { PasswordField } from '@/shared/ui/field';
import { Notice } from '@/shared/ui/notice';
import { Card, Page } from '@/shared/ui/page';
import { Segmented } from '@/shared/ui/segmented';
import { useToast } from '@/shared/ui/toast';

import styles from './account-page.module.css';
import { MailCard } from './mail-card';
import { SecondFactor } from './second-factor';
import { StorageCard } from './storage-card';

export function AccountPage() {
  const { t } = useI18n();
  const user = useProfile().data;
  return (
    // A blank holds the name's place until it is known, so that nothing below moves.
    <Page title={t('account.title')} description={user?.username ?? '\u00a0'} narrow>
      <div className={styles.stack}>
        <Appearance />
        <StorageCard />
        <PasswordCard />
        <Sessions />
        {/* Last, because whether they show is known late. */}
        <MailCard />
        {user?.isAdmin && <SecondFactor />}
      </div>
    </Page>
  );
}

function Appearance() {
  const { t, choice, setChoice } = useI18n();
  const theme = useTheme();
  return (
    <Card title={t('account.appearance')}>
      <div className={styles.row}>
        <span>{t('account.language')}</span>
        <Segmented<LanguageChoice>
          label={t('account.language')}
          value={choice}
          onChange={setChoice}
          options={[
            { value: 'auto', label: t('account.languageAuto') },
            { value: 'zh-CN', label: '中文' },
            { value: 'en', label: 'English' },
          ]}
        />
      </div>
      <div className={styles.row}>
        <span>{t('account.theme')}</span>
        <Segmented<Theme>
          label={t('account.theme')}
          value={theme}
          onChange={setTheme}
          options={[
            { value: 'system', label: <IconLabel icon={<Monitor />} text={t('theme.system')} /> },
            { value: 'light', label: <IconLabel icon={<Sun />} text={t('theme.light')} /> },
            { value: 'dark', label: <IconLabel icon={<Moon />} text={t('theme.dark')} /> },
          ]}
        />
      </div>
    </Card>
  );
}

function IconLabel({ icon, text }: { icon: React.ReactNode; text: string }) {
  return (
    <>
      {icon}
      {text}
    </>
  );
}

interface PasswordAnswer {
  success: boolean;
  token?: string;
  refresh?: string;
  expires_in?: number;
}

function PasswordCard() {
  const { t, explain } = useI18n();
  const toast = useToast();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const differs = again !== '' && next !== again;

  const change = useMutation({
    mutationFn: () =>
      request<PasswordAnswer>('/api/user/change-password', {
        method: 'POST',
        json: { old_password: current, new_password: next },
      }),
    onSuccess: (answer) => {
      // Changing the password ends all other sessions; this one goes on with new tokens.
      if (answer.token) {
        saveTokens({ token: answer.token, refresh: answer.refresh, expires_in: answer.expires_in });
      }
      setCurrent('');
      setNext('');
      setAgain('');
      toast(t('account.passwordChanged'));
    },
  });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!differs && again) change.mutate();
  };

  return (
    <Card title={t('account.password')}>
      <form className={styles.form} onSubmit={submit}>
        {change.isError && <Notice tone="bad">{explain(change.error)}</Notice>}
        <PasswordField
          label={t('account.currentPassword')}
          autoComplete="current-password"
          required
          value={current}
          onChange={(event) => setCurrent(event.target.value)}
        />
        <PasswordField
          label={t('account.newPassword')}
          hint={t('account.passwordHint')}
          autoComplete="new-password"
          required
          minLength={8}
          value={next}
          onChange={(event) => setNext(event.target.value)}
        />
        <PasswordField
          label={t('account.repeatPassword')}
          autoComplete="new-password"
          required
          value={again}
          error={differs ? t('account.passwordsDiffer') : null}
          onChange={(event) => setAgain(event.target.value)}
        />
        <div>
          <Button type="submit" variant="primary" busy={change.isPending}>
            {t('account.changePassword')}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function Sessions() {
  const { t, explain } = useI18n();
  const [asking, setAsking] = useState(false);
  const navigate = useNavigate();
  const signOut = useSignOut();
  const leave = () => void navigate('/login', { replace: true, state: null });
  const everywhere = useMutation({ mutationFn: () => signOut(true), onSuccess: leave });
  return (
    <Card title={t('account.sessions')}>
      <p className={styles.text}>{t('account.sessionsText')}</p>
      <div className={styles.buttons}>
        <Button icon={<LogOut size={16} />} onClick={() => void signOut().then(leave)}>
          {t('nav.signOut')}
        </Button>
        <Button variant="danger-ghost" onClick={() => setAsking(true)}>
          {t('account.signOutEverywhere')}
        </Button>
      </div>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={t('account.signOutEverywhere')}
        description={t('account.signOutEverywhereText')}
        confirmLabel={t('account.signOutEverywhere')}
        danger
        busy={everywhere.isPending}
        error={everywhere.isError ? explain(everywhere.error) : null}
        onConfirm={() => everywhere.mutate()}
      />
    </Card>
  );
}
