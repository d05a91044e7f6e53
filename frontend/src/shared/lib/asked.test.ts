import { describe, expect, it } from 'vitest';

import { asked } from './asked';

describe('filters', () => {
  it('are asked for without the spaces around what was typed', () => {
    expect(asked({ search: ' ', status: 'all' })).toEqual({ search: '', status: 'all' });
    expect(asked({ search: ' a b ' })).toEqual({ search: 'a b' });
  });

  it('have no day while its year is being typed', () => {
    const days = ['', '0002-11-22', '0202-11-22', '1999-12-31', '2200-01-01', '20261-01-01'];
    for (const day of days)
      expect(asked({ dateFrom: day, dateTo: day })).toEqual({ dateFrom: '', dateTo: '' });
    for (const day of ['2000-01-01', '2026-11-22', '2199-12-31'])
      expect(asked({ dateFrom: day, dateTo: day })).toEqual({ dateFrom: day, dateTo: day });
  });
});
