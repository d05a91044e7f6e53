import { useEffect, useState } from 'react';
import { useSearchParams } from 'react-router';

import { useI18n } from '@/shared/i18n/i18n';
import { ConfirmDialog } from '@/shared/ui/dialog';
import { useToast } from '@/shared/ui/toast';

import { draftStore } from './draft';
import { fetchStored } from './stored';

/** Makes a draft of an earlier batch that the address names (`?again=`), once the kept draft is back. */
export function Again({ ready }: { ready: boolean }) {
  const { t, explain } = useI18n();
  const toast = useToast();
  const [params, setParams] = useSearchParams();
  const [agreed, setAgreed] = useState(false);
  const batchId = params.get('again');
  const asked = batchId !== null && ready && !agreed && !draftStore.isEmpty();
  const going = batchId !== null && ready && !asked;

  const done = () => {
    setAgreed(false);
    setParams({}, { replace: true });
  };
  useEffect(() => {
    if (!going || batchId === null) return;
    let current = true;
    void fetchStored(batchId).then(
      (batch) => {
        if (!current) return;
        if (batch) draftStore.fill(batch);
        else toast(t('library.againGone'), 'bad');
        done();
      },
      (error: unknown) => {
        if (!current) return;
        toast(explain(error), 'bad');
        done();
      },
    );
    return () => {
      current = false;
    };
    // Asked once for each address; what the other values are then is what counts.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [going, batchId]);

  return (
    <ConfirmDialog
      open={asked}
      onOpenChange={(open) => {
        if (!open) done();
      }}
      title={t('library.again')}
      description={t('library.againText')}
      confirmLabel={t('library.againConfirm')}
      onConfirm={() => setAgreed(true)}
    />
  );
}
