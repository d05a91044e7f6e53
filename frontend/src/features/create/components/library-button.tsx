import { Library } from 'lucide-react';
import { Suspense, useState } from 'react';

import { useI18n } from '@/shared/i18n/i18n';
import { lazyScreen } from '@/shared/lib/load';
import { Button } from '@/shared/ui/button';

const LibraryDialog = lazyScreen(async () => (await import('./library-dialog')).LibraryDialog);

interface Props {
  kind: 'image' | 'audio';
  room?: number;
  disabled: boolean;
  small: boolean;
}

/** Opens what earlier batches keep. */
export function LibraryButton({ kind, room = 1, disabled, small }: Props) {
  const { t } = useI18n();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button
        size={small ? 'sm' : 'md'}
        icon={<Library size={16} />}
        disabled={disabled}
        onClick={() => setOpen(true)}
      >
        {t('library.open')}
      </Button>
      {open && (
        <Suspense>
          <LibraryDialog kind={kind} room={room} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
