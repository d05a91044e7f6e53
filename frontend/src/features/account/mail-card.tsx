import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, type FormEvent } from 'react';
import { useLocation, useNavigate } from 'react-router';

import { request } from '@/shared/api/client';
import type { MailSettings } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { Button } from '@/shared/ui/button';
import { Field } from '@/shared/ui/field';
import { Notice } from '@/shared/ui/notice';
import { Card } from '@/shared/ui/page';
import { useToast } from '@/shared/ui/toast';

import styles from './account-page.module.css';
import { useMailTexts } from './mail-texts';

const KEY = ['mail'];
const CONFIRM = '#confirm=';

/** Where letters go when a batch is done; nothing where the installation sends none. */
export function MailCard() {
  const mail = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => request<MailSettings>('/api/user/mail', { signal }),
  }).data;
  const confirmation = useConfirmation();
  if (!mail?.available) return null;
  return <MailForm key={mail.address} mail={mail} failure={confirmation} />;
}

function MailForm({ mail, failure }: { mail: MailSettings; failure: Error | null }) {
  const { explain } = useI18n();
  const text = useMailTexts();
  const toast = useToast();
  const client = useQueryClient();
  const [address, setAddress] = useState(mail.address);
  const save = useMutation({
    mutationFn: () =>
      request<MailSettings>('/api/user/mail', {
        method: 'PUT',
        json: { address: address.trim(), when_done: true },
      }),
    onSuccess: (answer) => {
      client.setQueryData(KEY, answer);
      toast(text('saved'));
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const problem = save.error ?? failure;
  return (
    <Card title={text('title')}>
      <form className={styles.form} onSubmit={submit}>
        {problem && <Notice tone="bad">{explain(problem)}</Notice>}
        {!problem && mail.address && (
          <Notice tone={mail.confirmed ? 'ok' : 'info'}>
            {mail.confirmed ? text('confirmed') : text('waiting', { address: mail.address })}
          </Notice>
        )}
        <Field
          label={text('address')}
          hint={text('hint')}
          type="email"
          autoComplete="email"
          value={address}
          onChange={(event) => setAddress(event.target.value)}
        />
        <div>
          <Button type="submit" busy={save.isPending}>
            {text('save')}
          </Button>
        </div>
      </form>
    </Card>
  );
}

/** Uses up the token of a link that was followed from a letter, once; why that failed, if it did. */
function useConfirmation(): Error | null {
  const { hash, pathname } = useLocation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { mutate, error } = useMutation({
    mutationFn: (token: string) =>
      request<MailSettings>('/api/user/mail/confirm', { method: 'POST', json: { token } }),
    onSuccess: (answer) => client.setQueryData(KEY, answer),
  });
  useEffect(() => {
    if (!hash.startsWith(CONFIRM)) return;
    mutate(hash.slice(CONFIRM.length));
    void navigate(pathname, { replace: true });
  }, [hash, pathname, mutate, navigate]);
  return error;
}
