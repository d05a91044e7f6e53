import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { App } from '@/app/app';
import { messages as en } from '@/shared/i18n/messages/en';
import { messages as zh } from '@/shared/i18n/messages/zh';
import type { Language } from '@/shared/i18n/language';

/** Opens the whole application at a path, signed in unless told otherwise. */
export function openApp(
  path: string,
  { signedIn = true, language = 'zh-CN' }: { signedIn?: boolean; language?: Language } = {},
) {
  if (signedIn) {
    localStorage.setItem('token', 'token-1');
    localStorage.setItem('refresh_token', 'refresh-1');
  }
  window.history.replaceState(null, '', path);
  const user = userEvent.setup();
  const view = render(<App initial={{ language, messages: language === 'en' ? en : zh }} />);
  return { user, ...view };
}
