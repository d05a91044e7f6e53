import { useState, type FormEvent } from 'react';

import type { User } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { cx } from '@/shared/lib/cx';
import { Button } from '@/shared/ui/button';
import { Dialog, DialogActions } from '@/shared/ui/dialog';
import { Field } from '@/shared/ui/field';
import { Notice } from '@/shared/ui/notice';
import { Segmented } from '@/shared/ui/segmented';
import { useToast } from '@/shared/ui/toast';

import { useChangeCredits } from '../api';
import styles from './dialogs.module.css';

type Mode = 'add' | 'deduct' | 'set';

function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(16)).join(
    '-',
  );
}

/** The balance that a change leads to, or null while the amount makes no sense. */
export function balanceAfter(mode: Mode, balance: number, amount: string): number | null {
  if (!/^\d{1,9}$/.test(amount.trim())) return null;
  const value = Number(amount);
  if (mode === 'set') return value;
  if (value === 0) return null;
  return mode === 'add' ? balance + value : balance - value;
}

export function CreditsDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const { t, format, explain } = useI18n();
  const toast = useToast();
  const [mode, setMode] = useState<Mode>('add');
  const [amount, setAmount] = useState('');
  const [reason, setReason] = useState('');
  const [attempt, setAttempt] = useState({ content: '', key: newKey() });
  const change = useChangeCredits(user.id, attempt.key);
  const after = balanceAfter(mode, user.credits, amount);
  const possible = after !== null && after >= 0;

  /** Another amount is another change and needs another key; the same one keeps it. */
  const renew = (next: { mode?: Mode; amount?: string; reason?: string }) => {
    const content = JSON.stringify({ mode, amount, reason, ...next });
    if (content !== attempt.content) setAttempt({ content, key: newKey() });
  };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!possible || change.isPending) return;
    const note = reason.trim();
    const value = Number(amount);
    change.mutate(
      mode === 'set'
        ? { new_credits: value, reason: note }
        : { delta: mode === 'add' ? value : -value, reason: note },
      {
        onSuccess: (answer) => {
          toast(t('users.creditsChanged', { name: user.username, n: answer.credits }));
          onClose();
        },
      },
    );
  };

  return (
    <Dialog open onOpenChange={onClose} title={t('users.changeCreditsOf', { name: user.username })}>
      <form className={styles.form} onSubmit={submit}>
        {change.isError && <Notice tone="bad">{explain(change.error)}</Notice>}
        <Segmented<Mode>
          label={t('users.changeKind')}
          value={mode}
          onChange={(value) => {
            setMode(value);
            renew({ mode: value });
          }}
          options={[
            { value: 'add', label: t('users.add') },
            { value: 'deduct', label: t('users.deduct') },
            { value: 'set', label: t('users.set') },
          ]}
        />
        <Field
          label={t('users.amount')}
          type="number"
          inputMode="numeric"
          min={0}
          step={1}
          required
          value={amount}
          onChange={(event) => {
            setAmount(event.target.value);
            renew({ amount: event.target.value });
          }}
        />
        <Field
          label={t('users.reason')}
          hint={t('users.reasonHint')}
          required
          maxLength={200}
          value={reason}
          onChange={(event) => {
            setReason(event.target.value);
            renew({ reason: event.target.value });
          }}
        />
        <p className={styles.preview} role="status">
          <span>{t('users.balanceChange')}</span>
          <strong className={cx(after !== null && after < 0 && styles.bad)}>
            {format.number(user.credits)} → {after === null ? '…' : format.number(after)}
          </strong>
        </p>
        <DialogActions>
          <Button onClick={onClose}>{t('common.back')}</Button>
          <Button
            type="submit"
            variant="primary"
            busy={change.isPending}
            disabled={!possible || !reason.trim()}
          >
            {t('common.save')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
