import { useI18n } from '@/shared/i18n/i18n';
import { Field } from '@/shared/ui/field';
import { Card } from '@/shared/ui/page';

import { draftStore } from '../draft';

/** As many characters as the server keeps. */
const MAX_CHARS = 200;

export function NameCard({ name, locked }: { name: string; locked: boolean }) {
  const { t } = useI18n();
  return (
    <Card>
      <Field
        label={t('batch.name')}
        hint={t('create.nameHint')}
        value={name}
        maxLength={MAX_CHARS}
        readOnly={locked}
        autoComplete="off"
        onChange={(event) => draftStore.setName(event.target.value)}
      />
    </Card>
  );
}
