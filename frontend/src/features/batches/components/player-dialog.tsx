import { ChevronLeft, ChevronRight, Columns2, Download, X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';

import type { Batch, Item } from '@/shared/api/types';
import { clock } from '@/shared/i18n/format';
import { useI18n } from '@/shared/i18n/i18n';
import { cx } from '@/shared/lib/cx';
import { saveUrl } from '@/shared/lib/save';
import { IconButton } from '@/shared/ui/button';

import { useBatchEngineTexts } from './engine-texts';
import { isMadeElsewhere, videoName } from './item-card';
import styles from './player-dialog.module.css';

interface Props {
  batch: Batch;
  itemId: string | null;
  onChange: (itemId: string | null) => void;
}

/** Plays the finished videos of a batch, one after the other by arrow keys or buttons. */
export function PlayerDialog({ batch, itemId, onChange }: Props) {
  const { t } = useI18n();
  const playable = useMemo(
    () => batch.items.filter((item) => item.status === 'completed' && item.videoUrl),
    [batch.items],
  );
  const index = playable.findIndex((item) => item.id === itemId);
  const item = playable[index];
  const go = (step: number) => {
    const next = playable[index + step];
    if (next) onChange(next.id);
  };
  const last = useRef(itemId);
  useEffect(() => {
    if (itemId !== null) last.current = itemId;
  }, [itemId]);
  const onKeyDown = (event: KeyboardEvent) => {
    // In the video itself the arrow keys seek.
    if (event.target instanceof HTMLVideoElement) return;
    if (event.key === 'ArrowLeft') go(-1);
    if (event.key === 'ArrowRight') go(1);
    if (event.key === ' ' && !(event.target instanceof HTMLButtonElement)) {
      event.preventDefault();
      const video = event.currentTarget.querySelector('video');
      if (video?.paused) void video.play();
      else video?.pause();
    }
  };

  return (
    <Dialog.Root open={item !== undefined} onOpenChange={(open) => !open && onChange(null)}>
      <Dialog.Portal>
        <Dialog.Overlay className={styles.overlay} />
        <Dialog.Content
          className={styles.content}
          aria-describedby={undefined}
          onKeyDown={onKeyDown}
          onCloseAutoFocus={(event) => {
            // To the card of the video that played last, which need not be the one that was opened.
            event.preventDefault();
            document.querySelector<HTMLElement>(`[data-plays="${last.current}"]`)?.focus();
          }}
          onOpenAutoFocus={(event) => {
            // Not the first button, whose tooltip would cover the picture.
            event.preventDefault();
            if (event.target instanceof HTMLElement) event.target.focus();
          }}
        >
          {item && (
            <>
              <Stage item={item} engine={batch.engine} />
              <IconButton
                variant="glass"
                className={cx(styles.step, styles.previous)}
                label={t('player.previous')}
                disabled={index <= 0}
                onClick={() => go(-1)}
              >
                <ChevronLeft size={22} />
              </IconButton>
              <IconButton
                variant="glass"
                className={cx(styles.step, styles.next)}
                label={t('player.next')}
                disabled={index >= playable.length - 1}
                onClick={() => go(1)}
              >
                <ChevronRight size={22} />
              </IconButton>
              <p className={styles.position} role="status">
                {t('player.position', { n: index + 1, total: playable.length })}
              </p>
            </>
          )}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Stage({ item, engine }: { item: Item; engine: string }) {
  const { t } = useI18n();
  const text = useBatchEngineTexts();
  const [compare, setCompare] = useState(false);
  const [broken, setBroken] = useState<string | null>(null);
  const name = item.original_name || t('batch.unnamed');
  const facts = [
    typeof item.duration === 'number' ? clock(item.duration) : null,
    item.video_width && item.video_height ? `${item.video_width} × ${item.video_height}` : null,
    item.elapsed_time ? t('player.rendered', { seconds: item.elapsed_time }) : null,
    isMadeElsewhere(item, engine) ? text('madeBy', { engine: item.engine }) : null,
  ].filter((fact): fact is string => fact !== null);
  return (
    <>
      <header className={styles.header}>
        <div className={styles.heading}>
          <Dialog.Title className={styles.title}>{name}</Dialog.Title>
          <p className={styles.facts}>{facts.join(' · ')}</p>
          {item.notes.map((note) => (
            <p key={note} className={styles.note}>
              {note}
            </p>
          ))}
        </div>
        <IconButton
          variant="glass"
          label={t('player.compare')}
          aria-pressed={compare}
          onClick={() => setCompare(!compare)}
        >
          <Columns2 size={18} />
        </IconButton>
        <IconButton
          variant="glass"
          label={t('player.download', { name })}
          onClick={() => saveUrl(item.videoUrl, videoName(name))}
        >
          <Download size={18} />
        </IconButton>
        <Dialog.Close asChild>
          <IconButton variant="glass" label={t('common.close')} tip={false}>
            <X size={20} />
          </IconButton>
        </Dialog.Close>
      </header>
      <div className={cx(styles.stage, compare && styles.compare)}>
        {compare && (
          <figure>
            <img src={item.sourceImage} alt={t('player.source')} />
            <figcaption>{t('player.source')}</figcaption>
          </figure>
        )}
        <figure>
          <video
            key={item.id}
            src={item.videoUrl}
            poster={item.poster_url || undefined}
            controls
            autoPlay
            playsInline
            loop
            aria-label={t('player.video', { name })}
            onError={() => setBroken(item.id)}
          />
          {compare && <figcaption>{t('player.result')}</figcaption>}
        </figure>
      </div>
      {broken === item.id && (
        <p className={styles.broken} role="alert">
          {t('player.broken')}
        </p>
      )}
    </>
  );
}
