import { Download, ListChecks, X } from 'lucide-react';
import { useState } from 'react';

import { useI18n } from '@/shared/i18n/i18n';
import { saveUrl } from '@/shared/lib/save';
import { Button, IconButton } from '@/shared/ui/button';
import { useToast } from '@/shared/ui/toast';

import { fetchExport } from '../api';
import type { Selection } from '../selection';
import styles from './selection-bar.module.css';

/** What can be done with the chosen videos; it stays in reach while the grid is scrolled. */
export function SelectionBar({ batchId, selection }: { batchId: string; selection: Selection }) {
  const { t, explain } = useI18n();
  const toast = useToast();
  const [zipping, setZipping] = useState(false);
  const count = selection.ids.size;

  const download = async () => {
    setZipping(true);
    try {
      const answer = await fetchExport(batchId, [...selection.ids]);
      const only = answer.files.length === 1 ? answer.files[0] : undefined;
      saveUrl(only ? only.url : answer.zip_url, only?.name);
    } catch (error) {
      toast(explain(error), 'bad');
    } finally {
      setZipping(false);
    }
  };

  return (
    <section className={styles.bar} aria-label={t('select.bar')}>
      <p className={styles.count} role="status">
        {count > 0 ? t('select.count', { n: count }) : t('select.none')}
      </p>
      <Button size="sm" icon={<ListChecks size={15} />} onClick={selection.all}>
        {t('select.all')}
      </Button>
      <Button
        size="sm"
        variant="primary"
        icon={<Download size={15} />}
        disabled={count === 0}
        busy={zipping}
        onClick={() => void download()}
      >
        {t('select.download')}
      </Button>
      <IconButton size="sm" label={t('select.end')} onClick={selection.end}>
        <X size={17} />
      </IconButton>
    </section>
  );
}
