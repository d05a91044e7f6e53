import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Copy, Trash2 } from 'lucide-react';
import { useState } from 'react';

import { request } from '@/shared/api/client';
import type { Batch, MadeShare, Share } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { Button, IconButton } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { Notice } from '@/shared/ui/notice';
import { Select } from '@/shared/ui/select';

import styles from './share-dialog.module.css';
import { useShareTexts } from './share-texts';

const DAYS = ['1', '7', '30', '90'] as const;

/** Links by which the finished videos are watched without an account. */
export function ShareDialog({ batch, onClose }: { batch: Batch; onClose: () => void }) {
  const { format, explain } = useI18n();
  const text = useShareTexts();
  const path = `/api/video/batches/${batch.id}/shares`;
  const key = ['batches', 'shares', batch.id];
  const client = useQueryClient();
  const [days, setDays] = useState<(typeof DAYS)[number]>('7');
  const [copied, setCopied] = useState(false);
  const list = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => request<{ shares: Share[] }>(path, { signal }),
  });
  const refresh = () => client.invalidateQueries({ queryKey: key });
  const make = useMutation({
    mutationFn: () => request<MadeShare>(path, { method: 'POST', json: { days: Number(days) } }),
    onSuccess: refresh,
  });
  const revoke = useMutation({
    mutationFn: (id: string) => request(`${path}/${id}`, { method: 'DELETE' }),
    onSuccess: refresh,
  });
  const failure = make.error ?? revoke.error ?? list.error;
  const copy = async (url: string) => {
    await navigator.clipboard.writeText(url);
    setCopied(true);
  };

  return (
    <Dialog open onOpenChange={onClose} title={text('title')} description={text('text')} size="md">
      {failure && <Notice tone="bad">{explain(failure)}</Notice>}
      <div className={styles.make}>
        <Select
          label={text('days')}
          value={days}
          onChange={setDays}
          options={DAYS.map((value) => ({ value, label: text('forDays', { n: Number(value) }) }))}
        />
        <Button variant="primary" busy={make.isPending} onClick={() => make.mutate()}>
          {text('make')}
        </Button>
      </div>
      {make.data && (
        <p className={styles.made} role="status">
          <input
            readOnly
            aria-label={text('link')}
            value={make.data.url}
            onFocus={(event) => event.target.select()}
          />
          {'clipboard' in navigator && (
            <Button size="sm" icon={<Copy size={15} />} onClick={() => void copy(make.data.url)}>
              {copied ? text('copied') : text('copy')}
            </Button>
          )}
          <span>{text('once')}</span>
        </p>
      )}
      <ul className={styles.links}>
        {list.data?.shares.map((share) => (
          <li key={share.id}>
            <span>
              {share.item_name ?? text('whole')} ·{' '}
              {text('until', { day: format.day(share.expires_at) })}
            </span>
            <IconButton label={text('revoke')} size="sm" onClick={() => revoke.mutate(share.id)}>
              <Trash2 size={16} />
            </IconButton>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
