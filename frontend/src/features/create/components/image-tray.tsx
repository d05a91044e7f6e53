import {
  closestCenter,
  DndContext,
  KeyboardSensor,
  PointerSensor,
  useSensor,
  useSensors,
  type Announcements,
  type DragEndEvent,
} from '@dnd-kit/core';
import {
  rectSortingStrategy,
  SortableContext,
  sortableKeyboardCoordinates,
} from '@dnd-kit/sortable';
import { FolderUp, History, ImagePlus, Trash2 } from 'lucide-react';
import { useRef, useState, type DragEvent } from 'react';

import { useI18n } from '@/shared/i18n/i18n';
import { cx } from '@/shared/lib/cx';
import { useMediaQuery } from '@/shared/lib/hooks';
import { Button } from '@/shared/ui/button';
import { Notice } from '@/shared/ui/notice';

import { draftStore, type Draft } from '../draft';
import { filesOfDrop } from '../media/images';
import type { Sending } from '../send';
import styles from './image-tray.module.css';
import { ImageTile } from './image-tile';

interface Props {
  draft: Draft;
  max: number;
  sending: Sending | null;
  locked: boolean;
  onFiles: (files: readonly File[]) => void;
  onLibrary: () => void;
}

export function ImageTray({ draft, max, sending, locked, onFiles, onLibrary }: Props) {
  const { t } = useI18n();
  const [over, setOver] = useState(false);
  const depth = useRef(0);
  const { images } = draft;
  const bad = images.filter((image) => image.problem).length;

  // Entering a child leaves its parent, so the crossings are counted.
  const cross = (step: number) => (event: DragEvent) => {
    if (!event.dataTransfer.types.includes('Files')) return;
    depth.current = Math.max(0, depth.current + step);
    setOver(depth.current > 0 && !locked);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    depth.current = 0;
    setOver(false);
    if (!locked) void filesOfDrop(event.dataTransfer).then(onFiles);
  };

  return (
    <section
      className={cx(styles.tray, over && styles.over)}
      aria-label={t('create.images')}
      onDragEnter={cross(1)}
      onDragLeave={cross(-1)}
      onDragOver={(event) => event.preventDefault()}
      onDrop={drop}
    >
      <header className={styles.header}>
        <h2>
          {t('create.images')}{' '}
          <span className={styles.count}>
            {images.length} / {max}
          </span>
        </h2>
        {images.length > 0 && (
          <div className={styles.tools}>
            <Pickers
              onFiles={onFiles}
              onLibrary={onLibrary}
              disabled={locked || images.length >= max}
            />
            <Button
              size="sm"
              variant="ghost"
              icon={<Trash2 size={15} />}
              disabled={locked}
              onClick={() => draftStore.clearImages()}
            >
              {t('create.clearAll')}
            </Button>
          </div>
        )}
      </header>
      {draft.leftOut > 0 && (
        <Notice tone="warn">{t('create.leftOut', { n: draft.leftOut, max })}</Notice>
      )}
      {bad > 0 && (
        <Notice
          tone="bad"
          action={
            <Button size="sm" disabled={locked} onClick={() => draftStore.removeBadImages()}>
              {t('create.removeBad')}
            </Button>
          }
        >
          {t('create.badImages', { n: bad })}
        </Notice>
      )}
      {images.length === 0 ? (
        <EmptyTray max={max} onFiles={onFiles} onLibrary={onLibrary} />
      ) : (
        <Tiles draft={draft} sending={sending} locked={locked} />
      )}
    </section>
  );
}

function EmptyTray({ max, onFiles, onLibrary }: Pick<Props, 'max' | 'onFiles' | 'onLibrary'>) {
  const { t } = useI18n();
  const touch = useMediaQuery('(pointer: coarse)');
  return (
    <div className={styles.empty}>
      <div className={styles.emptyArt} aria-hidden="true">
        <ImagePlus size={30} />
      </div>
      <p className={styles.emptyTitle}>{t(touch ? 'create.pickTitle' : 'create.dropTitle')}</p>
      <p className={styles.emptyText}>
        {t(touch ? 'create.pickText' : 'create.dropText', { max })}
      </p>
      <div className={styles.tools}>
        <Pickers onFiles={onFiles} onLibrary={onLibrary} large />
      </div>
    </div>
  );
}

function Pickers({
  onFiles,
  onLibrary,
  disabled = false,
  large = false,
}: {
  onFiles: Props['onFiles'];
  onLibrary: Props['onLibrary'];
  disabled?: boolean;
  large?: boolean;
}) {
  const { t } = useI18n();
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (input: HTMLInputElement) => {
    onFiles([...(input.files ?? [])]);
    input.value = '';
  };
  return (
    <>
      <Button
        size={large ? 'md' : 'sm'}
        variant={large ? 'primary' : 'secondary'}
        icon={<ImagePlus size={16} />}
        disabled={disabled}
        onClick={() => files.current?.click()}
      >
        {t(large ? 'create.pick' : 'create.addMore')}
      </Button>
      <Button
        size={large ? 'md' : 'sm'}
        className={styles.folder}
        icon={<FolderUp size={16} />}
        disabled={disabled}
        onClick={() => folder.current?.click()}
      >
        {t('create.pickFolder')}
      </Button>
      <Button
        size={large ? 'md' : 'sm'}
        icon={<History size={16} />}
        disabled={disabled}
        onClick={onLibrary}
      >
        {t('library.open')}
      </Button>
      <input
        ref={files}
        type="file"
        hidden
        multiple
        accept="image/jpeg,image/png,image/webp"
        aria-label={t('create.pick')}
        data-testid="image-input"
        onChange={(event) => take(event.currentTarget)}
      />
      <input
        ref={(input) => {
          folder.current = input;
          // Not known to React's types, but to all browsers that have folders.
          input?.setAttribute('webkitdirectory', '');
        }}
        type="file"
        hidden
        multiple
        aria-label={t('create.pickFolder')}
        onChange={(event) => take(event.currentTarget)}
      />
    </>
  );
}

function Tiles({ draft, sending, locked }: Pick<Props, 'draft' | 'sending' | 'locked'>) {
  const { t } = useI18n();
  const { images } = draft;
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 6 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const position = (id: string | number | undefined) =>
    images.findIndex((image) => image.id === id) + 1;
  const announcements: Announcements = {
    onDragStart: ({ active }) => t('create.dnd.start', { n: position(active.id) }),
    onDragOver: ({ over }) => (over ? t('create.dnd.over', { n: position(over.id) }) : undefined),
    onDragEnd: ({ over }) => (over ? t('create.dnd.end', { n: position(over.id) }) : undefined),
    onDragCancel: () => t('create.dnd.cancel'),
  };
  const onDragEnd = ({ active, over }: DragEndEvent) => {
    if (over && over.id !== active.id)
      draftStore.moveImage(String(active.id), position(over.id) - 1);
  };
  const sent = sending?.shares ?? null;
  return (
    <DndContext
      sensors={sensors}
      collisionDetection={closestCenter}
      onDragEnd={onDragEnd}
      accessibility={{
        announcements,
        screenReaderInstructions: { draggable: t('create.dnd.instructions') },
      }}
    >
      <SortableContext
        items={images.map(({ id }) => id)}
        strategy={rectSortingStrategy}
        disabled={locked}
      >
        <ul className={styles.grid}>
          {images.map((image, index) => (
            <ImageTile
              key={image.id}
              image={image}
              index={index}
              total={images.length}
              locked={locked}
              sent={sent ? (sent[index] ?? 0) : null}
            />
          ))}
        </ul>
      </SortableContext>
    </DndContext>
  );
}
