import { Switch } from 'radix-ui';
import { useId, useState, type FormEvent } from 'react';

import { useI18n } from '@/shared/i18n/i18n';
import { Button } from '@/shared/ui/button';
import { Dialog, DialogActions } from '@/shared/ui/dialog';
import { Field } from '@/shared/ui/field';
import { Notice } from '@/shared/ui/notice';

import { useCreateUser } from '../api';
import styles from './dialogs.module.css';
import { GeneratedPassword } from './generated-password';

export function CreateUserDialog({ onClose }: { onClose: () => void }) {
  const { t, explain } = useI18n();
  const id = useId();
  const [username, setUsername] = useState('');
  const [credits, setCredits] = useState('100');
  const [admin, setAdmin] = useState(false);
  const create = useCreateUser();

  if (create.data) {
    return (
      <Dialog open onOpenChange={onClose} title={t('users.createdTitle')}>
        <GeneratedPassword username={create.data.user.username} password={create.data.password} />
        <DialogActions>
          <Button variant="primary" onClick={onClose}>
            {t('common.done')}
          </Button>
        </DialogActions>
      </Dialog>
    );
  }

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!create.isPending) {
      create.mutate({ username: username.trim(), credits: Number(credits), is_admin: admin });
    }
  };
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={t('users.create')}
      description={t('users.createText')}
    >
      <form className={styles.form} onSubmit={submit}>
        {create.isError && <Notice tone="bad">{explain(create.error)}</Notice>}
        <Field
          label={t('login.username')}
          value={username}
          required
          maxLength={150}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          onChange={(event) => setUsername(event.target.value)}
        />
        <Field
          label={t('users.startCredits')}
          type="number"
          inputMode="numeric"
          min={0}
          step={1}
          required
          value={credits}
          onChange={(event) => setCredits(event.target.value)}
        />
        <div className={styles.switchRow}>
          <label htmlFor={id}>
            {t('users.makeAdmin')}
            <span>{t('users.makeAdminHint')}</span>
          </label>
          <Switch.Root id={id} className={styles.switch} checked={admin} onCheckedChange={setAdmin}>
            <Switch.Thumb className={styles.thumb} />
          </Switch.Root>
        </div>
        <DialogActions>
          <Button onClick={onClose}>{t('common.back')}</Button>
          <Button type="submit" variant="primary" busy={create.isPending}>
            {t('users.create')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
