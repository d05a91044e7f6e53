import { describe, expect, it } from 'vitest';

import { makeBatch, makeItem, progressOf } from '@/testing/data';

import { sharesOf } from './components/batch-progress';
import { videoName } from './components/item-card';
import { groupByDay } from './group';
import { aspectOf, columnsFor, placed, rowSpan, ROW_PX } from './waterfall';

describe('groupByDay', () => {
  it('makes a folder for each local day and keeps the order', () => {
    const at = (id: string, date: Date) =>
      makeBatch([makeItem()], { id, timestamp: date.getTime() });
    const folders = groupByDay([
      at('c', new Date(2026, 10, 22, 0, 1)),
      at('b', new Date(2026, 10, 21, 23, 59)),
      at('a', new Date(2026, 10, 21, 8)),
    ]);
    expect(folders.map(({ key }) => key)).toEqual(['2026-11-22', '2026-11-21']);
    expect(folders[1]?.batches.map(({ id }) => id)).toEqual(['b', 'a']);
  });
});

describe('the waterfall', () => {
  it('has two columns on a phone and more on a desktop', () => {
    expect(columnsFor(358).columns).toBe(2);
    expect(columnsFor(880).columns).toBe(4);
    const { columns, columnWidth, gap } = columnsFor(1000);
    expect(columns * columnWidth + (columns - 1) * gap).toBeCloseTo(1000);
  });

  it('gives tall pictures more rows, within bounds', () => {
    const layout = columnsFor(880);
    const tall = rowSpan({ width: 400, height: 800 }, layout);
    const square = rowSpan({ width: 400, height: 400 }, layout);
    expect((tall - square) * ROW_PX).toBeCloseTo(layout.columnWidth, -1);
    expect(aspectOf({ width: 100, height: 10_000 })).toBe(0.5);
    expect(aspectOf({ width: 0, height: 0 })).toBe(0.75);
  });
});

describe('videoName', () => {
  it('takes the name of the source', () => {
    expect(videoName('face.one.JPG')).toBe('face.one.mp4');
    expect(videoName('face')).toBe('face.mp4');
    expect(videoName('.jpg')).toBe('video.mp4');
  });
});

describe('the place of a card', () => {
  it('is below the shortest column, without two cards in one place', () => {
    const items = [
      makeItem({ width: 600, height: 1200 }),
      makeItem({ width: 900, height: 600 }),
      makeItem({ width: 900, height: 600 }),
    ];
    const layout = columnsFor(358);
    const [tall, first, second] = placed(items, layout);
    expect([tall?.column, first?.column, second?.column]).toEqual([1, 2, 2]);
    expect([tall?.row, first?.row]).toEqual([1, 1]);
    expect(second?.row).toBe(1 + (first?.span ?? 0));
  });
});

describe('the bar of a batch', () => {
  it('is empty while everything renders but nothing has progressed', () => {
    const items = [1, 2].map((n) => makeItem({ id: `${n}`, status: 'processing', progress: 0 }));
    expect(sharesOf(progressOf(items, { overall_progress: 0 }))).toEqual({
      completed: 0,
      processing: 0,
      failed: 0,
      cancelled: 0,
    });
  });

  it('shows what is done and how far the rest is', () => {
    const items = [
      makeItem({ id: 'a', status: 'completed', progress: 100 }),
      makeItem({ id: 'b', status: 'processing', progress: 50 }),
    ];
    const shares = sharesOf(progressOf(items, { overall_progress: 75 }));
    expect(shares.completed).toBe(50);
    expect(shares.processing).toBe(25);
  });
});
