import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Languages } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { Navigate, useLocation, useNavigate } from 'react-router';

import { forgetAnswers, request } from '@/shared/api/client';
import { ApiError } from '@/shared/api/errors';
import { saveTokens } from '@/shared/api/tokens';
import type { SessionTokens } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { useTitle } from '@/shared/lib/hooks';
import { profileQuery, useSignedIn } from '@/shared/session/session';
import { Button } from '@/shared/ui/button';
import { Field, PasswordField } from '@/shared/ui/field';
import { Notice } from '@/shared/ui/notice';

import styles from './login-page.module.css';
import { Mark } from './mark';

/** Only paths of this application, so that a crafted link cannot send anybody elsewhere. */
export function returnPath(state: unknown): string {
  const from =
    typeof state === 'object' && state !== null && 'from' in state ? state.from : undefined;
  return typeof from === 'string' && /^\/(?![/\\])/.test(from) ? from : '/batches';
}

function isOtpRequired(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'otp_required';
}

export function LoginPage() {
  const { t, language, setChoice, explain } = useI18n();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [otp, setOtp] = useState('');
  const client = useQueryClient();
  const navigate = useNavigate();
  const location = useLocation();
  const signedIn = useSignedIn();
  useTitle(t('login.title'), t('app.name'));
  const target = returnPath(location.state);

  const [asksForCode, setAsksForCode] = useState(false);

  const login = useMutation({
    mutationFn: () =>
      request<SessionTokens>('/api/auth/login', {
        method: 'POST',
        json: { username: username.trim(), password, ...(asksForCode ? { otp: otp.trim() } : {}) },
        anonymous: true,
      }),
    onError: (error) => {
      // Administrators may have a second factor; its code is asked for once the password was right.
      if (error instanceof ApiError && error.code === 'otp_required') setAsksForCode(true);
      if (error instanceof ApiError && error.code === 'otp_invalid') setOtp('');
    },
    onSuccess: (answer) => {
      client.clear();
      forgetAnswers();
      client.setQueryData(profileQuery.queryKey, answer.user_info);
      saveTokens(answer);
      void navigate(target, { replace: true });
    },
  });

  if (signedIn && !login.isPending) return <Navigate to={target} replace />;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!login.isPending) login.mutate();
  };

  return (
    <div className={styles.page}>
      <div className={styles.art} aria-hidden="true">
        <Mark className={styles.mark} />
        <p className={styles.slogan}>{t('login.slogan')}</p>
        <p className={styles.sub}>{t('login.sub')}</p>
      </div>
      <main className={styles.side}>
        <div className={styles.language}>
          <Button
            variant="ghost"
            size="sm"
            icon={<Languages size={16} />}
            onClick={() => setChoice(language === 'zh-CN' ? 'en' : 'zh-CN')}
          >
            {language === 'zh-CN' ? 'English' : '中文'}
          </Button>
        </div>
        <form className={styles.form} onSubmit={submit}>
          <Mark className={styles.smallMark} />
          <h1>{t('login.heading')}</h1>
          {login.isError && (
            <Notice tone={isOtpRequired(login.error) ? 'info' : 'bad'}>
              {explain(login.error)}
            </Notice>
          )}
          <Field
            label={t('login.username')}
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            value={username}
            onChange={(event) => {
              setUsername(event.target.value);
              setAsksForCode(false);
            }}
          />
          <PasswordField
            label={t('login.password')}
            name="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
          {asksForCode && (
            <Field
              label={t('login.otp')}
              hint={t('login.otpHint')}
              name="otp"
              autoComplete="one-time-code"
              autoCapitalize="none"
              spellCheck={false}
              required
              autoFocus
              value={otp}
              onChange={(event) => setOtp(event.target.value)}
            />
          )}
          <Button type="submit" variant="primary" size="lg" block busy={login.isPending}>
            {t('login.submit')}
          </Button>
          <p className={styles.note}>{t('login.note')}</p>
        </form>
      </main>
    </div>
  );
}
