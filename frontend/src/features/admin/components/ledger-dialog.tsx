import type { User } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { Ledger } from '@/shared/ledger/ledger';
import { Dialog } from '@/shared/ui/dialog';

export function LedgerDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const { t, format } = useI18n();
  return (
    <Dialog
      open
      onOpenChange={onClose}
      size="md"
      title={t('users.ledgerOf', { name: user.username })}
      description={`${t('credits.balance')}: ${format.number(user.credits)}`}
    >
      <Ledger path={`/api/admin/users/${user.id}/credits`} compact />
    </Dialog>
  );
}
