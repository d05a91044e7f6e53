import { useSortable } from '@dnd-kit/sortable';
import { CSS } from '@dnd-kit/utilities';
import {
  ArrowLeft,
  ArrowRight,
  CircleAlert,
  Ellipsis,
  GripVertical,
  ImageUp,
  Trash2,
} from 'lucide-react';
import { memo, useRef } from 'react';

import { useI18n } from '@/shared/i18n/i18n';
import { cx } from '@/shared/lib/cx';
import { IconButton } from '@/shared/ui/button';
import { Menu, MenuDivider, MenuItem } from '@/shared/ui/menu';

import { draftStore, type DraftImage } from '../draft';
import { useProblemText } from '../problems';
import styles from './image-tile.module.css';

interface Props {
  image: DraftImage;
  index: number;
  total: number;
  locked: boolean;
  /** Share of the file that is sent, null when nothing is being sent. */
  sent: number | null;
}

export const ImageTile = memo(function ImageTile({ image, index, total, locked, sent }: Props) {
  const { t } = useI18n();
  const problemText = useProblemText();
  const file = useRef<HTMLInputElement>(null);
  const {
    attributes,
    listeners,
    setNodeRef,
    setActivatorNodeRef,
    transform,
    transition,
    isDragging,
  } = useSortable({ id: image.id, disabled: locked });
  const { name } = image;
  const problem = image.problem ? problemText(image.problem) : null;

  return (
    <li
      ref={setNodeRef}
      className={cx(styles.tile, isDragging && styles.dragging, problem && styles.bad)}
      style={{ transform: CSS.Transform.toString(transform), transition }}
    >
      <div className={styles.picture}>
        {problem && image.width === 0 ? null : (
          <img src={image.url || undefined} alt="" decoding="async" loading="lazy" />
        )}
        {!problem && <span className={styles.number}>{index + 1}</span>}
        {problem && (
          <p className={styles.problem} role="alert">
            <CircleAlert size={15} aria-hidden="true" />
            <span>{problem}</span>
          </p>
        )}
        {sent !== null && (
          <span className={styles.sent} aria-hidden="true">
            <span style={{ transform: `scaleX(${sent})` }} />
          </span>
        )}
        {!locked && (
          <div className={styles.tools}>
            <button
              ref={setActivatorNodeRef}
              type="button"
              className={styles.grip}
              {...attributes}
              {...listeners}
              aria-label={t('create.move', { name })}
            >
              <GripVertical size={15} />
            </button>
            <Menu
              trigger={
                <IconButton
                  label={t('create.imageMenu', { name })}
                  variant="glass"
                  size="sm"
                  tip={false}
                >
                  <Ellipsis size={16} />
                </IconButton>
              }
            >
              <MenuItem icon={<ImageUp />} onSelect={() => file.current?.click()}>
                {t('create.replace')}
              </MenuItem>
              <MenuItem
                icon={<ArrowLeft />}
                disabled={index === 0}
                onSelect={() => draftStore.moveImage(image.id, index - 1)}
              >
                {t('create.moveEarlier')}
              </MenuItem>
              <MenuItem
                icon={<ArrowRight />}
                disabled={index === total - 1}
                onSelect={() => draftStore.moveImage(image.id, index + 1)}
              >
                {t('create.moveLater')}
              </MenuItem>
              <MenuDivider />
              <MenuItem icon={<Trash2 />} danger onSelect={() => draftStore.removeImage(image.id)}>
                {t('create.remove')}
              </MenuItem>
            </Menu>
          </div>
        )}
      </div>
      <p className={styles.name} title={name}>
        {name}
      </p>
      <input
        ref={file}
        type="file"
        hidden
        accept="image/jpeg,image/png,image/webp"
        aria-label={t('create.replace')}
        onChange={(event) => {
          const next = event.target.files?.[0];
          event.target.value = '';
          if (next) draftStore.replaceImage(image.id, next);
        }}
      />
    </li>
  );
});
