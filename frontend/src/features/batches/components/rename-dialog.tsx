import { useState, type FormEvent } from 'react';

import type { Batch } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { Button } from '@/shared/ui/button';
import { Dialog, DialogActions } from '@/shared/ui/dialog';
import { Field } from '@/shared/ui/field';

import { useBatchAction } from '../api';

export function RenameDialog({ batch, onClose }: { batch: Batch; onClose: () => void }) {
  const { t, explain } = useI18n();
  const [name, setName] = useState(batch.name);
  const action = useBatchAction(batch.id);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    action.mutate({ kind: 'rename', name: name.trim() }, { onSuccess: onClose });
  };
  return (
    <Dialog open onOpenChange={onClose} title={t('batch.rename')}>
      <form onSubmit={submit}>
        <Field
          label={t('batch.name')}
          value={name}
          required
          maxLength={200}
          onChange={(event) => setName(event.target.value)}
          onFocus={(event) => event.target.select()}
          error={action.isError ? explain(action.error) : null}
        />
        <DialogActions>
          <Button onClick={onClose}>{t('common.back')}</Button>
          <Button type="submit" variant="primary" busy={action.isPending} disabled={!name.trim()}>
            {t('common.save')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
