import type { Item } from '@/shared/api/types';

/** The grid's rows are this fine, so that cards of any height fit without visible steps. */
export const ROW_PX = 4;
/** Height of a card's caption below the picture, as in item-card.module.css: buttons for fingers are taller. */
export const CAPTION_PX = 72;
export const CAPTION_TOUCH_PX = 100;

const MIN_ASPECT = 0.5;
const MAX_ASPECT = 1.8;
const DEFAULT_ASPECT = 3 / 4;

export interface Layout {
  columns: number;
  gap: number;
  /** Pixels. */
  columnWidth: number;
  captionHeight: number;
}

export function columnsFor(width: number, touch = false): Layout {
  const gap = width < 560 ? 12 : 16;
  const wanted = width < 560 ? 160 : 204;
  const columns = Math.max(2, Math.floor((width + gap) / (wanted + gap)));
  return {
    columns,
    gap,
    columnWidth: (width - gap * (columns - 1)) / columns,
    captionHeight: touch ? CAPTION_TOUCH_PX : CAPTION_PX,
  };
}

/** Width by height; very long pictures are cropped so that one does not fill the screen. */
export function aspectOf(item: Pick<Item, 'width' | 'height'>): number {
  if (!item.width || !item.height) return DEFAULT_ASPECT;
  return Math.min(MAX_ASPECT, Math.max(MIN_ASPECT, item.width / item.height));
}

export interface Place {
  /** 1 is the first. */
  column: number;
  row: number;
  span: number;
}

/** Each item below the shortest column so far, so that what comes next in order also stands next. */
export function placed(items: readonly Pick<Item, 'width' | 'height'>[], layout: Layout): Place[] {
  const heights = Array.from({ length: layout.columns }, () => 0);
  return items.map((item) => {
    const column = heights.indexOf(Math.min(...heights));
    const span = rowSpan(item, layout);
    const row = (heights[column] ?? 0) + 1;
    heights[column] = row - 1 + span;
    return { column: column + 1, row, span };
  });
}

export function rowSpan(item: Pick<Item, 'width' | 'height'>, layout: Layout): number {
  const height = layout.columnWidth / aspectOf(item) + layout.captionHeight + layout.gap;
  return Math.ceil(height / ROW_PX);
}
