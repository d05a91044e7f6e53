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

// After an update the files of an open tab may be gone; a reload brings the new ones.
window.addEventListener('vite:preloadError', (event) => {
  const key = 'reloaded-for-update';
  if (sessionStorage.getItem(key)) return;
  sessionStorage.setItem(key, '1');
  event.preventDefault();
  window.location.reload();
});

void start();
