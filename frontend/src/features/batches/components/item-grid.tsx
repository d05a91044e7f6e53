import { useMemo, useRef } from 'react';

import type { Item } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { useMediaQuery, useWidth } from '@/shared/lib/hooks';

import type { Selection } from '../selection';
import { columnsFor, placed, ROW_PX } from '../waterfall';
import { ItemCard } from './item-card';
import styles from './item-grid.module.css';

interface Props {
  batchId: string;
  items: readonly Item[];
  /** The name of the batch's engine. */
  engine: string;
  /** More than the batch's only one. */
  deletable: boolean;
  onPlay: (itemId: string) => void;
  selection: Selection;
}

/** A waterfall that keeps the order of the items for reading and for the Tab key. */
export function ItemGrid({ batchId, items, engine, deletable, onPlay, selection }: Props) {
  const { t } = useI18n();
  const ref = useRef<HTMLUListElement>(null);
  const width = useWidth(ref);
  const touch = useMediaQuery('(pointer: coarse)');
  const layout = useMemo(() => columnsFor(width, touch), [width, touch]);
  const places = useMemo(() => placed(items, layout), [items, layout]);
  return (
    <ul
      ref={ref}
      className={styles.grid}
      aria-label={t('batch.items')}
      style={{
        gridTemplateColumns: `repeat(${layout.columns}, minmax(0, 1fr))`,
        columnGap: layout.gap,
        gridAutoRows: ROW_PX,
      }}
    >
      {width > 0 &&
        items.map((item, index) => {
          const place = places[index];
          return (
            <li
              key={item.id}
              style={
                place && {
                  gridColumn: place.column,
                  gridRow: `${place.row} / span ${place.span}`,
                }
              }
            >
              <ItemCard
                batchId={batchId}
                item={item}
                engine={engine}
                deletable={deletable}
                onPlay={onPlay}
                selected={selection.active ? selection.ids.has(item.id) : null}
                onSelect={selection.toggle}
              />
            </li>
          );
        })}
    </ul>
  );
}
