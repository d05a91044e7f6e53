import type { Batch } from '@/shared/api/types';

export interface DayFolder {
  /** Local date, "2026-11-22". */
  key: string;
  timestamp: number;
  batches: Batch[];
}

/** Folders by local day, in the order of the batches, which is newest first. */
export function groupByDay(batches: readonly Batch[]): DayFolder[] {
  const folders = new Map<string, DayFolder>();
  for (const batch of batches) {
    const date = new Date(batch.timestamp);
    const key = [
      date.getFullYear(),
      String(date.getMonth() + 1).padStart(2, '0'),
      String(date.getDate()).padStart(2, '0'),
    ].join('-');
    const folder = folders.get(key);
    if (folder) folder.batches.push(batch);
    else folders.set(key, { key, timestamp: batch.timestamp, batches: [batch] });
  }
  return [...folders.values()];
}
