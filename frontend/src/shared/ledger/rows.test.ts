import { describe, expect, it } from 'vitest';

import type { LedgerEntry } from '../api/types';
import { rowsOf } from './rows';

let next = 0;

function entry(part: Partial<LedgerEntry>): LedgerEntry {
  next += 1;
  return {
    id: `entry-${next}`,
    kind: 'charge',
    amount: -1,
    balance_after: 0,
    batch_id: 'batch-1',
    item_id: `item-${next}`,
    note: 'Batch',
    created_at: '2026-11-22T10:00:00Z',
    ...part,
  };
}

describe('rowsOf', () => {
  it('reads the charges of one batch as one, with the balance after the last', () => {
    const rows = rowsOf([entry({ balance_after: 97 }), entry({ balance_after: 98 }), entry({})]);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ count: 3, amount: -3, newest: { balance_after: 97 } });
  });

  it('keeps batches, kinds and reasons apart and the order as it was', () => {
    const rows = rowsOf([
      entry({ kind: 'refund', amount: 1, note: 'no_face' }),
      entry({ kind: 'refund', amount: 1, note: 'cancelled' }),
      entry({}),
      entry({ batch_id: 'batch-2' }),
    ]);
    expect(rows.map((row) => row.amount)).toEqual([1, 1, -1, -1]);
  });

  it('never joins entries that belong to no batch', () => {
    const topup = { kind: 'topup', amount: 5, batch_id: null, item_id: null, note: '' } as const;
    expect(rowsOf([entry(topup), entry(topup)])).toHaveLength(2);
  });
});
