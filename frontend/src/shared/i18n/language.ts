export const LANGUAGES = ['zh-CN', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];
export type LanguageChoice = Language | 'auto';

const KEY = 'language';

/** Chinese for every kind of Chinese, English for everything else. */
export function languageFor(tags: readonly string[]): Language {
  for (const tag of tags) {
    if (/^zh\b/i.test(tag)) return 'zh-CN';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

export function readLanguageChoice(): LanguageChoice {
  const saved = localStorage.getItem(KEY);
  return LANGUAGES.find((language) => language === saved) ?? 'auto';
}

export function saveLanguageChoice(choice: LanguageChoice): void {
  if (choice === 'auto') localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, choice);
}

export function resolveLanguage(choice: LanguageChoice): Language {
  return choice === 'auto' ? languageFor(navigator.languages) : choice;
}
