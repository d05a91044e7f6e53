import { useQuery } from '@tanstack/react-query';

import { request } from '@/shared/api/client';
import type { StorageUse } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { Card } from '@/shared/ui/page';
import { ProgressBar } from '@/shared/ui/progress-bar';

/** How much is stored, how much may be, and for how long files are kept. */
export function StorageCard() {
  const { t, format } = useI18n();
  const { data: use, isError } = useQuery({
    queryKey: ['storage'],
    queryFn: ({ signal }) => request<StorageUse>('/api/video/storage', { signal }),
  });
  if (!use) {
    if (isError) return null;
    // Holds the place, so that nothing below moves.
    return (
      <Card title={t('account.storage')}>
        <p>{'\u00a0'}</p>
      </Card>
    );
  }
  const { used_bytes: used, quota_bytes: quota, retention_days: days } = use;
  return (
    <Card title={t('account.storage')}>
      <p>
        {quota === null
          ? t('account.storageUsed', { used: format.bytes(used) })
          : t('account.storageOf', { used: format.bytes(used), quota: format.bytes(quota) })}
      </p>
      {quota !== null && (
        <ProgressBar
          thin
          value={Math.min(100, (100 * used) / quota)}
          label={t('account.storage')}
        />
      )}
      {days !== null && <p>{t('account.retention', { days })}</p>}
    </Card>
  );
}
