import { Ban, Check, Download, ImageUp, Play, RotateCw } from 'lucide-react';
import { memo, useRef, useState } from 'react';

import { toApiError } from '@/shared/api/errors';
import { onlyProblemOf } from '@/shared/api/problems';
import type { Item } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { clock } from '@/shared/i18n/format';
import { cx } from '@/shared/lib/cx';
import { useReducedMotion } from '@/shared/lib/hooks';
import { saveUrl } from '@/shared/lib/save';
import { Button, IconButton } from '@/shared/ui/button';
import { ProgressBar } from '@/shared/ui/progress-bar';
import { StatusBadge } from '@/shared/ui/status';
import { useToast } from '@/shared/ui/toast';

import { useBatchAction, type BatchAction } from '../api';
import { aspectOf } from '../waterfall';
import { DeleteItem } from './delete-item';
import { useBatchEngineTexts } from './engine-texts';
import styles from './item-card.module.css';

interface Props {
  batchId: string;
  item: Item;
  /** The name of the batch's engine: of which item another made the video, that is said. */
  engine: string;
  /** Not the only one of its batch. */
  deletable: boolean;
  onPlay: (itemId: string) => void;
  /** Null while no videos are being chosen. */
  selected: boolean | null;
  onSelect: (itemId: string, range: boolean) => void;
}

/** One video to be: memoised, because polling leaves most items of a big batch unchanged. */
export const ItemCard = memo(function ItemCard(props: Props) {
  const { batchId, item, engine, deletable, onPlay, selected, onSelect } = props;
  const { t } = useI18n();
  const name = item.original_name || t('batch.unnamed');
  const done = item.status === 'completed' && item.videoUrl !== '';
  return (
    <article
      className={styles.card}
      data-status={item.status}
      data-selected={selected || undefined}
      aria-label={name}
    >
      <div className={styles.media} style={{ aspectRatio: aspectOf(item) }}>
        {done && selected !== null ? (
          <Tick
            item={item}
            name={name}
            selected={selected}
            onSelect={(range) => onSelect(item.id, range)}
          />
        ) : done ? (
          <Preview item={item} name={name} onPlay={() => onPlay(item.id)} />
        ) : (
          <Still item={item} />
        )}
        {done && typeof item.duration === 'number' && item.duration > 0 && (
          <span className={styles.duration}>{clock(item.duration)}</span>
        )}
        {isMadeElsewhere(item, engine) && <MadeBy engine={item.engine} />}
        {item.status === 'processing' && (
          <div className={styles.rendering}>
            <Standing item={item} />
            <ProgressBar thin value={item.progress} label={t('batch.progressOf', { name })} />
          </div>
        )}
      </div>
      <Caption batchId={batchId} item={item} name={name} deletable={deletable} />
    </article>
  );
});

/** By the name by which it is configured: the batch knows the label of its own engine alone. */
function MadeBy({ engine }: { engine: string }) {
  const text = useBatchEngineTexts();
  return (
    <span className={styles.engine}>
      <span className="visually-hidden">{text('engine')}: </span>
      {engine}
    </span>
  );
}

/** How far a video is, and where it stands at the server of its engine, if that has said so. */
function Standing({ item }: { item: Item }) {
  const { format } = useI18n();
  const text = useBatchEngineTexts();
  const { server_position: position, server_eta_s: eta } = item;
  const waits = typeof position === 'number' && position > 0;
  return (
    <span className={styles.standing}>
      <span className="tabular">
        {waits ? text('position', { n: position }) : `${Math.round(item.progress)}%`}
      </span>
      {typeof eta === 'number' && <span>{text('eta', { time: format.span(eta) })}</span>}
    </span>
  );
}

function Thumbnail({ item, className }: { item: Item; className?: string }) {
  return (
    <img
      src={item.thumbnail_url || item.sourceImage}
      alt=""
      loading="lazy"
      decoding="async"
      className={cx(styles.image, className)}
    />
  );
}

function Still({ item }: { item: Item }) {
  const quiet = item.status === 'failed' || item.status === 'cancelled';
  if (item.files_removed) return null;
  return (
    <Thumbnail
      item={item}
      className={cx(quiet && styles.quiet, item.status === 'pending' && styles.waiting)}
    />
  );
}

/** In place of the preview while videos are being chosen: the whole picture is the target. */
function Tick({
  item,
  name,
  selected,
  onSelect,
}: {
  item: Item;
  name: string;
  selected: boolean;
  onSelect: (range: boolean) => void;
}) {
  const { t } = useI18n();
  return (
    <button
      type="button"
      role="checkbox"
      aria-checked={selected}
      aria-label={t('select.item', { name })}
      className={styles.preview}
      onClick={(event) => onSelect(event.shiftKey)}
    >
      <Thumbnail item={item} />
      <span className={styles.tick} aria-hidden="true">
        {selected && <Check size={16} strokeWidth={3} />}
      </span>
    </button>
  );
}

/** A still until the pointer or the focus rests on it, then the video without sound. */
function Preview({ item, name, onPlay }: { item: Item; name: string; onPlay: () => void }) {
  const { t } = useI18n();
  const [active, setActive] = useState(false);
  const reduced = useReducedMotion();
  const start = () => setActive(!reduced);
  const stop = () => setActive(false);
  return (
    <button
      type="button"
      className={styles.preview}
      data-plays={item.id}
      aria-label={t('player.play', { name })}
      onClick={onPlay}
      onMouseEnter={start}
      onMouseLeave={stop}
      onFocus={start}
      onBlur={stop}
    >
      <Thumbnail item={item} />
      {active && (
        <video
          src={item.videoUrl}
          className={styles.video}
          muted
          loop
          autoPlay
          playsInline
          preload="auto"
        />
      )}
      <span className={styles.playIcon} aria-hidden="true">
        <Play size={16} fill="currentColor" />
      </span>
    </button>
  );
}

/** What can be done with one. Cancelled ones come back all together, by the button of their batch. */
function Caption({
  batchId,
  item,
  name,
  deletable,
}: Pick<Props, 'batchId' | 'item' | 'deletable'> & { name: string }) {
  const { t, reason, explain } = useI18n();
  const toast = useToast();
  const action = useBatchAction(batchId);
  const [refusal, setRefusal] = useState('');
  const act = (what: BatchAction) => {
    setRefusal('');
    action.mutate(what, {
      onError: (error) => {
        const problem = onlyProblemOf(toApiError(error));
        if (problem) setRefusal(reason(problem.code, problem.detail));
        else toast(explain(error), 'bad');
      },
    });
  };

  const failed = item.status === 'failed';
  const moving = item.status === 'pending' || item.status === 'processing';
  const why = item.error_code ? reason(item.error_code, item.error_msg) : '';
  return (
    <div className={styles.caption}>
      <div className={styles.line}>
        <span className={styles.name} title={name}>
          {name}
        </span>
        {moving && (
          <IconButton
            size="sm"
            label={t('batch.cancelItem', { name })}
            disabled={action.isPending}
            onClick={() => act({ kind: 'cancelItem', itemId: item.id })}
          >
            <Ban size={16} />
          </IconButton>
        )}
        {item.status === 'completed' && item.videoUrl !== '' && (
          <IconButton
            size="sm"
            label={t('player.download', { name })}
            onClick={() => saveUrl(item.videoUrl, videoName(name))}
          >
            <Download size={16} />
          </IconButton>
        )}
      </div>
      <StatusBadge status={item.status} />
      {deletable && !moving && <DeleteItem batchId={batchId} itemId={item.id} name={name} />}
      {failed && (
        <div className={styles.trouble}>
          {refusal ? (
            <p className={styles.reason} role="alert">
              {refusal}
            </p>
          ) : (
            why && <p className={styles.reason}>{why}</p>
          )}
          <div className={styles.buttons} hidden={item.files_removed}>
            {item.retry_helps && (
              <Button
                size="sm"
                icon={<RotateCw size={14} />}
                busy={action.isPending}
                aria-label={t('batch.retryItem', { name })}
                onClick={() => act({ kind: 'retryItem', itemId: item.id })}
              >
                {t('common.retry')}
              </Button>
            )}
            <ReplaceButton
              name={name}
              alone={!item.retry_helps}
              busy={action.isPending}
              onChoose={(image) => act({ kind: 'replaceItem', itemId: item.id, image })}
            />
          </div>
        </div>
      )}
    </div>
  );
}

/** The way on for a picture that would fail again; beside a retry it is the second choice. */
function ReplaceButton({
  name,
  alone,
  busy,
  onChoose,
}: {
  name: string;
  alone: boolean;
  busy: boolean;
  onChoose: (image: File) => void;
}) {
  const { t } = useI18n();
  const file = useRef<HTMLInputElement>(null);
  const label = t('batch.replaceImage', { name });
  const choose = () => file.current?.click();
  return (
    <>
      {alone ? (
        <Button
          size="sm"
          icon={<ImageUp size={15} />}
          busy={busy}
          aria-label={label}
          onClick={choose}
        >
          {t('batch.replace')}
        </Button>
      ) : (
        <IconButton size="sm" variant="secondary" label={label} disabled={busy} onClick={choose}>
          <ImageUp size={15} />
        </IconButton>
      )}
      <input
        ref={file}
        type="file"
        hidden
        accept="image/jpeg,image/png,image/webp"
        aria-label={label}
        onChange={(event) => {
          const image = event.target.files?.[0];
          event.target.value = '';
          if (image) onChoose(image);
        }}
      />
    </>
  );
}

/** Whether another engine than that of its batch made the video. */
export function isMadeElsewhere(item: Item, engine: string): boolean {
  return item.engine !== '' && item.engine !== engine;
}

/** "face.jpg" becomes "face.mp4". */
export function videoName(source: string): string {
  return `${source.replace(/\.[^.]+$/, '') || 'video'}.mp4`;
}
