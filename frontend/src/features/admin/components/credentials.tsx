import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';

import type { EngineCredential } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { Button } from '@/shared/ui/button';
import { ConfirmDialog, Dialog, DialogActions } from '@/shared/ui/dialog';
import { PasswordField } from '@/shared/ui/field';
import { Notice } from '@/shared/ui/notice';
import { Card } from '@/shared/ui/page';
import { useToast } from '@/shared/ui/toast';

import { credentialsQuery, useRemoveCredential, useSetCredential } from '../api';
import { useCredentialTexts } from './credentials-texts';
import styles from './credentials.module.css';

/** What engines show to their servers: set, replaced and removed, and never shown. */
export function Credentials() {
  const text = useCredentialTexts();
  const { data, isError } = useQuery(credentialsQuery);
  if (!data) return isError ? <Notice tone="warn">{text('unknown')}</Notice> : null;
  // Where no engine takes one, and none was set, there is nothing to tell.
  const told = data.credentials.filter(({ use, origin }) => use !== 'none' || origin === 'stored');
  if (told.length === 0) return null;
  return (
    <Card title={text('title')}>
      <p className={styles.text}>{text('text')}</p>
      <ul className={styles.list}>
        {told.map((credential) => (
          <Row key={credential.engine} credential={credential} />
        ))}
      </ul>
    </Card>
  );
}

function Row({ credential }: { credential: EngineCredential }) {
  const { format } = useI18n();
  const text = useCredentialTexts();
  const [open, setOpen] = useState<'set' | 'remove' | null>(null);
  const { engine, origin, use } = credential;
  const facts = [text(`origin.${origin}`)];
  if (credential.set_at)
    facts.push(
      text('since', {
        time: format.dateTime(credential.set_at),
        name: credential.set_by,
      }),
    );
  if (origin !== 'none') facts.push(text(`lastUse.${credential.last_use}`));
  return (
    <li className={styles.row}>
      <span className={styles.name}>{engine}</span>
      <span className={styles.actions}>
        <Button size="sm" onClick={() => setOpen('set')}>
          {text(origin === 'stored' ? 'rotate' : 'set')}
        </Button>
        {origin === 'stored' && (
          <Button size="sm" variant="danger-ghost" onClick={() => setOpen('remove')}>
            {text('remove')}
          </Button>
        )}
      </span>
      <span className={styles.facts} data-verdict={credential.last_use}>
        {facts.join(' · ')}
      </span>
      {use === 'none' && <span className={styles.facts}>{text('use.none')}</span>}
      {use === 'required' && origin === 'none' && (
        <span className={styles.why}>{text('use.required')}</span>
      )}
      {!credential.readable && <span className={styles.why}>{text('unreadable')}</span>}
      {open === 'set' && <SetDialog engine={engine} onClose={() => setOpen(null)} />}
      {open === 'remove' && <RemoveDialog engine={engine} onClose={() => setOpen(null)} />}
    </li>
  );
}

interface Props {
  engine: string;
  onClose: () => void;
}

function SetDialog({ engine, onClose }: Props) {
  const { t, explain } = useI18n();
  const text = useCredentialTexts();
  const toast = useToast();
  const [typed, setTyped] = useState('');
  const set = useSetCredential(engine);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!typed.trim() || set.isPending) return;
    set.mutate(typed.trim(), {
      onSuccess: (answer) => {
        toast(answer.warning ?? answer.message);
        onClose();
      },
    });
  };
  return (
    <Dialog open onOpenChange={onClose} title={text('newOf', { engine })}>
      <form className={styles.form} onSubmit={submit}>
        {set.isError && <Notice tone="bad">{explain(set.error)}</Notice>}
        <PasswordField
          label={text('new')}
          hint={text('hint')}
          value={typed}
          maxLength={8192}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setTyped(event.target.value)}
        />
        <DialogActions>
          <Button onClick={onClose}>{t('common.close')}</Button>
          <Button type="submit" variant="primary" busy={set.isPending} disabled={!typed.trim()}>
            {text('set')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function RemoveDialog({ engine, onClose }: Props) {
  const { explain } = useI18n();
  const text = useCredentialTexts();
  const toast = useToast();
  const remove = useRemoveCredential(engine);
  return (
    <ConfirmDialog
      open
      onOpenChange={onClose}
      title={text('removeOf', { engine })}
      description={text('removeText')}
      confirmLabel={text('remove')}
      danger
      busy={remove.isPending}
      error={remove.isError ? explain(remove.error) : null}
      onConfirm={() =>
        remove.mutate(undefined, {
          onSuccess: (answer) => {
            toast(answer.message);
            onClose();
          },
        })
      }
    />
  );
}
