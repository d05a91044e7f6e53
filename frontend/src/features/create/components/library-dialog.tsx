import { useQuery } from '@tanstack/react-query';
import { Check, Images } from 'lucide-react';
import { useState } from 'react';

import type { LibraryFile } from '@/shared/api/types';
import { clock } from '@/shared/i18n/format';
import { useI18n } from '@/shared/i18n/i18n';
import { useDebounced } from '@/shared/lib/hooks';
import { Button } from '@/shared/ui/button';
import { Dialog, DialogActions } from '@/shared/ui/dialog';
import { SearchField } from '@/shared/ui/field';
import { Notice } from '@/shared/ui/notice';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/shared/ui/states';

import { addStoredPictures, libraryQuery, setStoredRecording } from '../stored';
import styles from './library-dialog.module.css';

interface Props {
  kind: 'image' | 'audio';
  /** How many more pictures the batch takes. */
  room: number;
  onClose: () => void;
}

/** Portraits or recordings of earlier batches, to be chosen from. */
export function LibraryDialog({ kind, room, onClose }: Props) {
  const { t, explain } = useI18n();
  const [search, setSearch] = useState('');
  const [chosen, setChosen] = useState<readonly LibraryFile[]>([]);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const many = kind === 'image';

  const toggle = (file: LibraryFile) => {
    const without = chosen.filter(({ ref }) => ref !== file.ref);
    if (without.length < chosen.length) setChosen(without);
    else setChosen(many ? [...chosen, file].slice(0, room) : [file]);
  };

  const take = async () => {
    setBusy(true);
    setError(null);
    try {
      if (many) await addStoredPictures(chosen);
      else if (chosen[0]) await setStoredRecording(chosen[0]);
      onClose();
    } catch (reason) {
      setError(explain(reason));
      setBusy(false);
    }
  };

  return (
    <Dialog
      open
      onOpenChange={onClose}
      size="lg"
      title={t(many ? 'library.pictures' : 'library.recordings')}
      description={t('library.text')}
    >
      <SearchField label={t('batches.search')} value={search} onChange={setSearch} />
      {error && <Notice tone="bad">{error}</Notice>}
      <Files kind={kind} search={useDebounced(search.trim())} chosen={chosen} onToggle={toggle} />
      <DialogActions>
        <Button onClick={onClose}>{t('common.back')}</Button>
        <Button
          variant="primary"
          disabled={chosen.length === 0}
          busy={busy}
          onClick={() => void take()}
        >
          {many ? t('library.take', { n: chosen.length }) : t('library.takeRecording')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

function Files({
  kind,
  search,
  chosen,
  onToggle,
}: {
  kind: 'image' | 'audio';
  search: string;
  chosen: readonly LibraryFile[];
  onToggle: (file: LibraryFile) => void;
}) {
  const { t, format } = useI18n();
  const query = useQuery(libraryQuery(kind, search));
  if (query.isPending) {
    return (
      <Loading>
        <Skeleton style={{ height: 200 }} />
      </Loading>
    );
  }
  if (!query.data) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  const { files } = query.data;
  if (files.length === 0) {
    return <EmptyState icon={<Images size={26} />} title={t('library.none')} />;
  }
  return (
    <ul className={kind === 'image' ? styles.pictures : styles.recordings}>
      {files.map((file) => {
        const picked = chosen.some(({ ref }) => ref === file.ref);
        const facts = [
          file.duration === null ? '' : clock(file.duration),
          file.batch_name,
          format.day(file.created_at),
        ];
        return (
          <li key={file.ref}>
            <button
              type="button"
              className={styles.file}
              aria-pressed={picked}
              onClick={() => onToggle(file)}
            >
              {kind === 'image' && <img src={file.thumbnail_url} alt="" loading="lazy" />}
              <span className={styles.name}>{file.name}</span>
              <span className={styles.facts}>{facts.filter(Boolean).join(' · ')}</span>
              {picked && (
                <span className={styles.picked} aria-hidden="true">
                  <Check size={15} />
                </span>
              )}
            </button>
          </li>
        );
      })}
    </ul>
  );
}
