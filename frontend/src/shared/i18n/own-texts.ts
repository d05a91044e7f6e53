import { useI18n } from './i18n';
import type { Language } from './language';
import { fill, type Params } from './translate';

export type OwnTexts<K extends string> = Readonly<Record<Language, Readonly<Record<K, string>>>>;

/** Reads the words of one part of the application, which come with its code: the first load is short of room. */
export function useOwnTexts<K extends string>(texts: OwnTexts<K>) {
  const { language } = useI18n();
  return (key: K, params: Params = {}) => fill(texts[language][key], params, language);
}
