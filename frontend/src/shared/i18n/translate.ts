import type { Messages } from './messages/zh';

export type MessageKey = keyof Messages;
export type Params = Record<string, string | number>;

const PLACEHOLDER = /\{(\w+)(?::([^|{}]*)\|([^|{}]*))?\}/g;

/**
 * Fills `{name}` with a value; `{name:one|other}` chooses a form by the plural rules of the language,
 * so `{n} {n:image|images}` reads right for 1 and for 2.
 */
export function fill(template: string, params: Params, language: string): string {
  return template.replace(PLACEHOLDER, (whole, name: string, one?: string, other?: string) => {
    const value = params[name];
    if (value === undefined) return whole;
    if (one !== undefined && other !== undefined) {
      return new Intl.PluralRules(language).select(Number(value)) === 'one' ? one : other;
    }
    return typeof value === 'number' ? new Intl.NumberFormat(language).format(value) : value;
  });
}
