/** Filters while somebody types them. */

interface Typed {
  search?: string;
  /** "2026-11-22", or "" for no bound. */
  dateFrom?: string;
  dateTo?: string;
}

/** A year is typed digit by digit, and the first ones make a day of the early Middle Ages. */
function wholeDay(day: string): string {
  const year = Number(day.split('-')[0]);
  return year >= 2000 && year < 2200 ? day : '';
}

/**
 * The filters that can be asked for: without spaces around the words, and without days that are still being
 * typed. The server refuses those, and a refusal would take the place of the list.
 */
export function asked<T extends Typed>(filters: T): T {
  const { search, dateFrom, dateTo } = filters;
  return {
    ...filters,
    ...(search === undefined ? {} : { search: search.trim() }),
    ...(dateFrom === undefined ? {} : { dateFrom: wholeDay(dateFrom) }),
    ...(dateTo === undefined ? {} : { dateTo: wholeDay(dateTo) }),
  };
}
