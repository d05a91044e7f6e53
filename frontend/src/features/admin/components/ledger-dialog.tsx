import { Link } from 'react-router';

import type { User } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { Ledger } from '@/shared/ledger/ledger';
import { Dialog } from '@/shared/ui/dialog';

import { siteAddress } from '../site-page';

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
      <p>
        <Link to={siteAddress(`/admin/accounts/creditentry/export/?user=${user.id}`)}>
          {t('users.exportLedger')}
        </Link>
      </p>
      <Ledger path={`/api/admin/users/${user.id}/credits`} compact />
    </Dialog>
  );
}
