import type { Language } from './language';

const DAY_MS = 86_400_000;

/** Formats in one language; made once per language because Intl objects are slow to build. */
export class Formatter {
  private readonly language: Language;
  private readonly numbers: Intl.NumberFormat;
  private readonly signedNumbers: Intl.NumberFormat;
  private readonly times: Intl.DateTimeFormat;
  private readonly dates: Intl.DateTimeFormat;
  private readonly datesWithYear: Intl.DateTimeFormat;
  private readonly dateTimes: Intl.DateTimeFormat;
  private readonly relative: Intl.RelativeTimeFormat;

  constructor(language: Language) {
    this.language = language;
    this.numbers = new Intl.NumberFormat(language);
    this.signedNumbers = new Intl.NumberFormat(language, { signDisplay: 'exceptZero' });
    this.times = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit' });
    this.dates = new Intl.DateTimeFormat(language, {
      month: 'long',
      day: 'numeric',
      weekday: 'short',
    });
    this.datesWithYear = new Intl.DateTimeFormat(language, {
      year: 'numeric',
      month: 'long',
      day: 'numeric',
    });
    this.dateTimes = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
    this.relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  }

  number(value: number): string {
    return this.numbers.format(value);
  }

  signed(value: number): string {
    return this.signedNumbers.format(value);
  }

  time(value: Date | number | string): string {
    return this.times.format(new Date(value));
  }

  dateTime(value: Date | number | string): string {
    return this.dateTimes.format(new Date(value));
  }

  /** "Today", "yesterday" or a date, the year only when it is not this one. */
  day(value: Date | number | string, now = new Date()): string {
    const date = new Date(value);
    const days = Math.round((startOfDay(date) - startOfDay(now)) / DAY_MS);
    if (days === 0 || days === -1) return capitalise(this.relative.format(days, 'day'));
    return date.getFullYear() === now.getFullYear()
      ? this.dates.format(date)
      : this.datesWithYear.format(date);
  }

  /** Short date of a chart's axis from "2026-11-22". */
  shortDay(isoDate: string): string {
    const [year = 0, month = 1, day = 1] = isoDate.split('-').map(Number);
    return new Intl.DateTimeFormat(this.language, { month: 'numeric', day: 'numeric' }).format(
      new Date(year, month - 1, day),
    );
  }

  /** A rough span of time as people say it: "35 s", "4 min", "1 h 20 min". */
  span(seconds: number): string {
    const whole = Math.max(1, Math.round(seconds));
    const zh = this.language === 'zh-CN';
    const unit = (n: number, chinese: string, english: string) =>
      zh ? `${n} ${chinese}` : `${n} ${english}`;
    if (whole < 60) return unit(whole < 10 ? whole : Math.ceil(whole / 5) * 5, '秒', 's');
    const minutes = Math.ceil(whole / 60);
    if (minutes < 60) return unit(minutes, '分钟', 'min');
    const rest = minutes % 60;
    const hours = unit(Math.floor(minutes / 60), '小时', 'h');
    return rest === 0 ? hours : `${hours} ${unit(rest, '分钟', 'min')}`;
  }

  bytes(value: number): string {
    if (value < 1000) return `${value} B`;
    if (value < 1_000_000) return `${this.numbers.format(Math.round(value / 1000))} kB`;
    return `${this.numbers.format(Math.round(value / 100_000) / 10)} MB`;
  }
}

function startOfDay(date: Date): number {
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A position in a recording: "0:07", "12:34". */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
