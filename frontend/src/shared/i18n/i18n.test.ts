import { describe, expect, it } from 'vitest';

import { clock, Formatter } from './format';
import { languageFor, type Language } from './language';
import { messages as en } from './messages/en';
import { messages as zh } from './messages/zh';
import { fill } from './translate';

type Table = Readonly<Record<string, string>>;

const ROOMS = Object.values(
  import.meta.glob<Record<string, Table>>('./messages/zh/*.ts', { eager: true }),
).flatMap((file) => Object.values(file));

/** The words that come with a part of the application. */
const OWN_TABLES = Object.values(
  import.meta.glob<Record<string, Record<Language, Table> | (() => unknown)>>(
    ['/src/features/**/*-texts.ts', '/src/features/**/texts.ts'],
    { eager: true },
  ),
).flatMap((file) => Object.values(file).filter((exported) => typeof exported === 'object'));
const placeholders = (text: string) => [...new Set(text.match(/\{\w+/g) ?? [])].sort();

describe('messages', () => {
  it('use the same values in both languages', () => {
    for (const [key, text] of Object.entries(zh)) {
      expect(placeholders(en[key as keyof typeof en]), key).toEqual(placeholders(text));
    }
  });

  it('stand in one room each', () => {
    const keys = ROOMS.flatMap((room) => Object.keys(room));
    expect([...new Set(keys)].sort()).toEqual(keys.sort());
    expect(keys.sort()).toEqual(Object.keys(zh).sort());
  });

  it('use the same values in the tables of parts', () => {
    expect(OWN_TABLES).not.toHaveLength(0);
    for (const table of OWN_TABLES) {
      for (const [key, text] of Object.entries(table['zh-CN']))
        expect(placeholders(table.en[key] ?? ''), key).toEqual(placeholders(text));
    }
  });

  it('have no empty text', () => {
    for (const text of [...Object.values(zh), ...Object.values(en)])
      expect(text.trim() || text).not.toBe('');
  });
});

describe('fill', () => {
  it('puts in values and chooses the plural form', () => {
    expect(fill('{n} {n:image|images} of {name}', { n: 1, name: 'mei' }, 'en')).toBe(
      '1 image of mei',
    );
    expect(fill('{n} {n:image|images}', { n: 1200 }, 'en')).toBe('1,200 images');
    expect(fill('还有 {n} 个', { n: 3 }, 'zh-CN')).toBe('还有 3 个');
  });

  it('leaves an unknown placeholder visible', () => {
    expect(fill('{x}', {}, 'en')).toBe('{x}');
  });
});

describe('languageFor', () => {
  it('follows the browser’s first language that exists', () => {
    expect(languageFor(['zh-TW', 'en'])).toBe('zh-CN');
    expect(languageFor(['fr', 'zh-Hans-CN'])).toBe('zh-CN');
    expect(languageFor(['en-GB', 'zh'])).toBe('en');
    expect(languageFor(['fr'])).toBe('en');
  });
});

describe('Formatter', () => {
  const zhFormat = new Formatter('zh-CN');
  const enFormat = new Formatter('en');

  it('says spans the way people do', () => {
    expect(enFormat.span(7)).toBe('7 s');
    expect(enFormat.span(33)).toBe('35 s');
    expect(enFormat.span(61)).toBe('2 min');
    expect(zhFormat.span(3_600)).toBe('1 小时');
    expect(zhFormat.span(4_900)).toBe('1 小时 22 分钟');
    expect(zhFormat.span(0)).toBe('1 秒');
  });

  it('names today and yesterday', () => {
    const now = new Date(2026, 10, 22, 9);
    expect(zhFormat.day(new Date(2026, 10, 22, 1), now)).toBe('今天');
    expect(enFormat.day(new Date(2026, 10, 21, 23), now)).toBe('Yesterday');
    expect(zhFormat.day(new Date(2025, 0, 5), now)).toContain('2025');
  });

  it('signs changes', () => {
    expect(enFormat.signed(50)).toBe('+50');
    expect(enFormat.signed(-3)).toBe('-3');
  });
});

describe('clock', () => {
  it('reads as minutes and seconds', () => {
    expect(clock(7.4)).toBe('0:07');
    expect(clock(754)).toBe('12:34');
  });
});
