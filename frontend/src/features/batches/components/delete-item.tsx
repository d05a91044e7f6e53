import { Trash2 } from 'lucide-react';
import { useState } from 'react';

import { useI18n } from '@/shared/i18n/i18n';
import { IconButton } from '@/shared/ui/button';
import { ConfirmDialog } from '@/shared/ui/dialog';
import { useToast } from '@/shared/ui/toast';

import { useBatchAction } from '../api';

interface Props {
  batchId: string;
  itemId: string;
  name: string;
}

/** Deletes one video for good, once that is confirmed. */
export function DeleteItem({ batchId, itemId, name }: Props) {
  const { t, explain } = useI18n();
  const toast = useToast();
  const action = useBatchAction(batchId);
  const [asking, setAsking] = useState(false);
  const label = t('batch.deleteItem', { name });
  const confirm = () =>
    action.mutate(
      { kind: 'deleteItem', itemId },
      {
        onSuccess: () => toast(t('batch.deleteItemDone')),
      },
    );
  return (
    <>
      <IconButton
        size="sm"
        label={label}
        onClick={() => {
          action.reset();
          setAsking(true);
        }}
      >
        <Trash2 size={16} />
      </IconButton>
      {asking && (
        <ConfirmDialog
          open
          onOpenChange={setAsking}
          title={t('batch.deleteTitle', { name })}
          description={t('batch.deleteItemText')}
          confirmLabel={t('batch.deleteItemConfirm')}
          danger
          busy={action.isPending}
          error={action.isError ? explain(action.error) : null}
          onConfirm={confirm}
        />
      )}
    </>
  );
}
