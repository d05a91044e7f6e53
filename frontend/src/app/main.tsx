import './styles/tokens.css';
import './styles/base.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { setClientLanguage } from '@/shared/api/client';
import { loadMessages } from '@/shared/i18n/i18n';
import { readLanguageChoice, resolveLanguage } from '@/shared/i18n/language';
import { applyTheme, readTheme } from '@/shared/theme/theme';

import { App } from './app';

applyTheme(readTheme());

async function start(): Promise<void> {
  const language = resolveLanguage(readLanguageChoice());
  setClientLanguage(language);
  const messages = await loadMessages(language);
  const root = document.getElementById('root');
  if (!root) throw new Error('The page has no #root element');
  createRoot(root).render(
    <StrictMode>
      <App initial={{ language, messages }} />
    </StrictMode>,
  );
}

void start();
