import type { LedgerEntry } from '../api/types';

/** Entries that read as one: the charges of a batch are booked per video, but were one decision. */
export interface LedgerRow {
  /** The last of them, whose balance is the balance after all. */
  newest: LedgerEntry;
  count: number;
  amount: number;
}

function readsAsOne(a: LedgerEntry, b: LedgerEntry): boolean {
  return a.batch_id !== null && a.batch_id === b.batch_id && a.kind === b.kind && a.note === b.note;
}

/** Neighbours of the same batch, kind and note become one row; the order stays, newest first. */
export function rowsOf(entries: readonly LedgerEntry[]): LedgerRow[] {
  const rows: LedgerRow[] = [];
  for (const entry of entries) {
    const last = rows.at(-1);
    if (last && readsAsOne(last.newest, entry)) {
      last.count += 1;
      last.amount += entry.amount;
    } else {
      rows.push({ newest: entry, count: 1, amount: entry.amount });
    }
  }
  return rows;
}
