import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
  type ReactNode,
} from 'react';

import { setClientLanguage } from '../api/client';
import { toApiError, type ApiError } from '../api/errors';
import { Formatter } from './format';
import {
  readLanguageChoice,
  resolveLanguage,
  saveLanguageChoice,
  type Language,
  type LanguageChoice,
} from './language';
import type { Messages } from './messages/zh';
import { fill, type MessageKey, type Params } from './translate';

export type Translate = (key: MessageKey, params?: Params) => string;

interface I18n {
  language: Language;
  choice: LanguageChoice;
  setChoice: (choice: LanguageChoice) => void;
  t: Translate;
  format: Formatter;
  /** What to tell the user about a failure: by its code, else in the server's own words. */
  explain: (error: unknown) => string;
  /** The text of a code that came as data (an item's reason, a ledger entry's kind), else the fallback. */
  codeText: (prefix: 'error' | 'kind', code: string | null | undefined, fallback: string) => string;
  /** Why something failed or is refused: the server's sentence where it has figures, which ours have not. */
  reason: (code: string | null | undefined, detail: string) => string;
}

const Context = createContext<I18n | null>(null);

/** Only the language in use is loaded. */
export async function loadMessages(language: Language): Promise<Messages> {
  return language === 'zh-CN'
    ? (await import('./messages/zh')).messages
    : (await import('./messages/en')).messages;
}

function keyOf(messages: Messages, prefix: 'error' | 'kind', code: string): MessageKey | null {
  const key = `${prefix}.${code}`;
  return Object.hasOwn(messages, key) ? (key as MessageKey) : null;
}

function explainWith(messages: Messages, t: Translate, error: unknown): string {
  const failure: ApiError = toApiError(error);
  if (failure.code === 'insufficient_credits') {
    const { required, available } = failure.body;
    if (typeof required === 'number' && typeof available === 'number') {
      return t('error.insufficient_credits_n', { required, available });
    }
  }
  if (failure.status === 429 && failure.retryAfter !== null) {
    return t('error.wait', { seconds: failure.retryAfter });
  }
  const key = keyOf(messages, 'error', failure.code);
  if (key) return t(key);
  if (failure.detail) return failure.detail;
  return failure.status >= 500 ? t('error.server_error') : t('error.unknown');
}

interface Loaded {
  language: Language;
  messages: Messages;
}

export function I18nProvider({ initial, children }: { initial: Loaded; children: ReactNode }) {
  const [choice, setChoiceState] = useState<LanguageChoice>(readLanguageChoice);
  const [loaded, setLoaded] = useState(initial);

  const setChoice = useCallback((next: LanguageChoice) => {
    saveLanguageChoice(next);
    setChoiceState(next);
    const language = resolveLanguage(next);
    setClientLanguage(language);
    void loadMessages(language).then((messages) => setLoaded({ language, messages }));
  }, []);

  useEffect(() => {
    document.documentElement.lang = loaded.language;
  }, [loaded.language]);

  const value = useMemo<I18n>(() => {
    const { language, messages } = loaded;
    const t: Translate = (key, params = {}) => fill(messages[key], params, language);
    const codeText: I18n['codeText'] = (prefix, code, fallback) => {
      const key = code ? keyOf(messages, prefix, code) : null;
      return key ? t(key) : fallback;
    };
    return {
      language,
      choice,
      setChoice,
      t,
      format: new Formatter(language),
      explain: (error) => explainWith(messages, t, error),
      codeText,
      reason: (code, detail) =>
        /\d/.test(detail) ? detail : codeText('error', code, detail || t('error.unknown')),
    };
  }, [loaded, choice, setChoice]);

  return <Context value={value}>{children}</Context>;
}

export function useI18n(): I18n {
  const value = useContext(Context);
  if (!value) throw new Error('useI18n needs an I18nProvider');
  return value;
}
