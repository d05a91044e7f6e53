import { useInfiniteQuery } from '@tanstack/react-query';
import { Check, History, Music2, SearchX } from 'lucide-react';
import { useMemo, useState } from 'react';

import { request } from '@/shared/api/client';
import type { LibraryFile, LibraryPage } from '@/shared/api/types';
import { clock } from '@/shared/i18n/format';
import { useI18n } from '@/shared/i18n/i18n';
import { useDebounced } from '@/shared/lib/hooks';
import { Button } from '@/shared/ui/button';
import { Dialog, DialogActions } from '@/shared/ui/dialog';
import { SearchField } from '@/shared/ui/field';
import { ListEnd } from '@/shared/ui/list-end';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/shared/ui/states';

import { draftStore } from '../draft';
import { storedOfLibrary } from '../stored';
import styles from './library-dialog.module.css';

interface Props {
  kind: 'image' | 'audio';
  /** How many portraits the batch still takes. */
  room: number;
  onClose: () => void;
}

function libraryQuery(kind: Props['kind'], search: string) {
  return {
    queryKey: ['batches', 'library', kind, search],
    queryFn: ({ pageParam, signal }: { pageParam: string; signal: AbortSignal }) =>
      request<LibraryPage>('/api/video/library', {
        query: { kind, search: search || undefined, cursor: pageParam || undefined },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: ({ next }: LibraryPage) =>
      (next && new URL(next, window.location.origin).searchParams.get('cursor')) ?? undefined,
  };
}

/** Portraits or recordings of earlier batches, to be put into the draft. */
export function LibraryDialog({ kind, room, onClose }: Props) {
  const { t } = useI18n();
  const [typed, setTyped] = useState('');
  const search = useDebounced(typed.trim());
  const [chosen, setChosen] = useState<ReadonlyMap<string, LibraryFile>>(new Map());
  const list = useInfiniteQuery(libraryQuery(kind, search));
  const batches = useMemo(
    () => byBatch(list.data?.pages.flatMap(({ files }) => files) ?? []),
    [list.data],
  );

  const toggle = (files: readonly LibraryFile[], on: boolean) =>
    setChosen((before) => {
      const next = new Map(before);
      for (const file of files) {
        if (!on) next.delete(file.ref);
        else if (next.size < room) next.set(file.ref, file);
      }
      return next;
    });
  const add = () => {
    draftStore.addStoredImages([...chosen.values()].map(storedOfLibrary));
    onClose();
  };
  const use = (file: LibraryFile) => {
    draftStore.setStoredAudio(storedOfLibrary(file));
    onClose();
  };

  return (
    <Dialog
      open
      onOpenChange={onClose}
      size="lg"
      title={t(`library.${kind}`)}
      description={t('library.text')}
    >
      <SearchField label={t('library.search')} value={typed} onChange={setTyped} />
      <div className={styles.list}>
        {list.isPending ? (
          <Loading>
            {[0, 1, 2].map((n) => (
              <Skeleton key={n} style={{ height: 92, marginBottom: 10 }} />
            ))}
          </Loading>
        ) : list.isError && !list.data ? (
          <ErrorState error={list.error} onRetry={() => void list.refetch()} />
        ) : batches.length === 0 ? (
          <EmptyState
            icon={search ? <SearchX size={26} /> : <History size={26} />}
            title={t(search ? 'library.noneFound' : 'library.none')}
          >
            {search ? null : t('library.noneText')}
          </EmptyState>
        ) : kind === 'image' ? (
          batches.map((files) => (
            <Portraits
              key={files[0]?.batch_id}
              files={files}
              chosen={chosen}
              room={room}
              onToggle={toggle}
            />
          ))
        ) : (
          <Recordings files={batches.flat()} onUse={use} />
        )}
        {list.data && <ListEnd list={list} />}
      </div>
      {kind === 'image' && (
        <div className={styles.foot}>
          <span role="status">{t('library.room', { n: room - chosen.size })}</span>
          <DialogActions>
            <Button onClick={onClose}>{t('common.back')}</Button>
            <Button variant="primary" disabled={chosen.size === 0} onClick={add}>
              {t('library.add', { n: chosen.size })}
            </Button>
          </DialogActions>
        </div>
      )}
    </Dialog>
  );
}

function byBatch(files: readonly LibraryFile[]): LibraryFile[][] {
  const grouped = new Map<string, LibraryFile[]>();
  for (const file of files) {
    const group = grouped.get(file.batch_id);
    if (group) group.push(file);
    else grouped.set(file.batch_id, [file]);
  }
  return [...grouped.values()];
}

interface PortraitsProps {
  files: readonly LibraryFile[];
  chosen: ReadonlyMap<string, LibraryFile>;
  room: number;
  onToggle: (files: readonly LibraryFile[], on: boolean) => void;
}

/** Of one batch. */
function Portraits({ files, chosen, room, onToggle }: PortraitsProps) {
  const { t, format } = useI18n();
  const [first] = files;
  if (!first) return null;
  const all = files.every(({ ref }) => chosen.has(ref));
  const full = chosen.size >= room;
  return (
    <section aria-label={first.batch_name}>
      <div className={styles.head}>
        <div className={styles.text}>
          <h3 title={first.batch_name}>{first.batch_name}</h3>
          <p>{format.dateTime(first.created_at)}</p>
        </div>
        <Button
          size="sm"
          variant="ghost"
          aria-pressed={all}
          disabled={full && !all}
          onClick={() => onToggle(files, !all)}
        >
          {t('library.whole')}
        </Button>
      </div>
      <ul className={styles.grid}>
        {files.map((file) => {
          const on = chosen.has(file.ref);
          return (
            <li key={file.ref}>
              <button
                type="button"
                className={styles.portrait}
                aria-pressed={on}
                aria-label={file.name}
                title={file.name}
                disabled={full && !on}
                onClick={() => onToggle([file], !on)}
              >
                <img src={file.thumbnail_url || undefined} alt="" loading="lazy" decoding="async" />
                {on && (
                  <span className={styles.tick} aria-hidden="true">
                    <Check size={15} />
                  </span>
                )}
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Recordings({
  files,
  onUse,
}: {
  files: readonly LibraryFile[];
  onUse: (file: LibraryFile) => void;
}) {
  const { format } = useI18n();
  return (
    <ul className={styles.recordings}>
      {files.map((file) => (
        <li key={file.ref}>
          <button type="button" className={styles.recording} onClick={() => onUse(file)}>
            <Music2 size={18} aria-hidden="true" />
            <span className={styles.text}>
              <strong>{file.name}</strong>
              <span>
                {clock(file.duration ?? 0)} · {file.batch_name} · {format.dateTime(file.created_at)}
              </span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
