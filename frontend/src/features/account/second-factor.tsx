import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';

import { request } from '@/shared/api/client';
import type { RecoveryCodes, TotpEnrolment, TotpStatus } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { Button } from '@/shared/ui/button';
import { Field, PasswordField } from '@/shared/ui/field';
import { Notice } from '@/shared/ui/notice';
import { Card } from '@/shared/ui/page';
import { useToast } from '@/shared/ui/toast';

import styles from './account-page.module.css';

const totpQuery = queryOptions({
  queryKey: ['totp'],
  queryFn: ({ signal }) => request<TotpStatus>('/api/user/totp', { signal }),
});

/** An administrator's second factor: set up in three steps, or removed by a code. */
export function SecondFactor() {
  const { t } = useI18n();
  const client = useQueryClient();
  const status = useQuery(totpQuery).data;
  const [enrolment, setEnrolment] = useState<TotpEnrolment | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  if (!status || (status.policy === 'off' && !status.enabled)) return null;

  const changed = () => void client.invalidateQueries({ queryKey: totpQuery.queryKey });
  return (
    <Card title={t('totp.title')}>
      {codes ? (
        <Codes codes={codes} onDone={() => setCodes(null)} />
      ) : status.enabled ? (
        <Remove left={status.recovery_codes_left} onRemoved={changed} />
      ) : enrolment ? (
        <Confirm
          enrolment={enrolment}
          onConfirmed={(list) => {
            setEnrolment(null);
            setCodes(list);
            changed();
          }}
        />
      ) : (
        <Begin required={status.policy === 'required'} onBegun={setEnrolment} />
      )}
    </Card>
  );
}

function Begin({
  required,
  onBegun,
}: {
  required: boolean;
  onBegun: (enrolment: TotpEnrolment) => void;
}) {
  const { t, explain } = useI18n();
  const [password, setPassword] = useState('');
  const begin = useMutation({
    mutationFn: () =>
      request<TotpEnrolment>('/api/user/totp', { method: 'POST', json: { password } }),
    onSuccess: onBegun,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!begin.isPending) begin.mutate();
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <p className={styles.text}>{t('totp.text')}</p>
      {required && <Notice tone="warn">{t('totp.required')}</Notice>}
      {begin.isError && <Notice tone="bad">{explain(begin.error)}</Notice>}
      <PasswordField
        label={t('account.currentPassword')}
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <div>
        <Button type="submit" variant="primary" busy={begin.isPending}>
          {t('totp.begin')}
        </Button>
      </div>
    </form>
  );
}

function Confirm({
  enrolment,
  onConfirmed,
}: {
  enrolment: TotpEnrolment;
  onConfirmed: (codes: string[]) => void;
}) {
  const { t, explain } = useI18n();
  const [code, setCode] = useState('');
  const confirm = useMutation({
    mutationFn: () =>
      request<RecoveryCodes>('/api/user/totp/confirm', { method: 'POST', json: { code } }),
    onSuccess: (answer) => onConfirmed(answer.recovery_codes),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!confirm.isPending) confirm.mutate();
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <p className={styles.text}>{t('totp.scan')}</p>
      <img
        className={styles.qr}
        src={`data:image/svg+xml,${encodeURIComponent(enrolment.qr_svg)}`}
        alt={t('totp.qr')}
      />
      <p className={styles.text}>
        {t('totp.secret')} <code data-testid="totp-secret">{enrolment.secret}</code>
      </p>
      {confirm.isError && <Notice tone="bad">{explain(confirm.error)}</Notice>}
      <CodeField label={t('login.otp')} value={code} onChange={setCode} />
      <div>
        <Button type="submit" variant="primary" busy={confirm.isPending}>
          {t('totp.confirm')}
        </Button>
      </div>
    </form>
  );
}

/** Shown this once, because the server keeps only their hashes. */
function Codes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  const { t } = useI18n();
  return (
    <div className={styles.form}>
      <Notice tone="warn">{t('totp.codes')}</Notice>
      <ul className={styles.codes}>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div>
        <Button variant="primary" onClick={onDone}>
          {t('common.done')}
        </Button>
      </div>
    </div>
  );
}

function Remove({ left, onRemoved }: { left: number; onRemoved: () => void }) {
  const { t, explain } = useI18n();
  const toast = useToast();
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const remove = useMutation({
    mutationFn: () =>
      request('/api/user/totp/remove', { method: 'POST', json: { password, code } }),
    onSuccess: () => {
      toast(t('totp.removed'));
      onRemoved();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!remove.isPending) remove.mutate();
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <p className={styles.text}>{t('totp.enabled', { n: left })}</p>
      {remove.isError && <Notice tone="bad">{explain(remove.error)}</Notice>}
      <PasswordField
        label={t('account.currentPassword')}
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <CodeField label={t('login.otp')} value={code} onChange={setCode} />
      <div>
        <Button type="submit" variant="danger-ghost" busy={remove.isPending}>
          {t('totp.remove')}
        </Button>
      </div>
    </form>
  );
}

function CodeField({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <Field
      label={label}
      autoComplete="one-time-code"
      autoCapitalize="none"
      spellCheck={false}
      required
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
