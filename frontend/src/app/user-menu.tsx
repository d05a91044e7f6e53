import { ChevronsUpDown, Languages, LogOut, Monitor, Moon, Sun, UserRound } from 'lucide-react';
import { useNavigate } from 'react-router';

import { useI18n } from '@/shared/i18n/i18n';
import { useProfile, useSignOut } from '@/shared/session/session';
import { setTheme, THEMES, useTheme } from '@/shared/theme/theme';
import { Menu, MenuDivider, MenuItem } from '@/shared/ui/menu';

import styles from './shell.module.css';

const THEME_ICONS = { system: <Monitor />, light: <Sun />, dark: <Moon /> };

export function UserMenu() {
  const { t, language, setChoice } = useI18n();
  const navigate = useNavigate();
  const user = useProfile().data;
  const theme = useTheme();
  const signOut = useSignOut();
  const nextTheme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system';
  const name = user?.username ?? '';
  return (
    <Menu
      trigger={
        <button type="button" className={styles.user} aria-label={t('nav.userMenu', { name })}>
          <span
            className={styles.avatar}
            data-initial={name.slice(0, 1).toUpperCase()}
            aria-hidden="true"
          />
          <span className={styles.userName}>{name}</span>
          <ChevronsUpDown size={15} aria-hidden="true" className={styles.userMore} />
        </button>
      }
    >
      <MenuItem icon={<UserRound />} onSelect={() => void navigate('/account')}>
        {t('nav.account')}
      </MenuItem>
      <MenuItem icon={THEME_ICONS[nextTheme]} onSelect={() => setTheme(nextTheme)}>
        {t(`theme.switch.${nextTheme}`)}
      </MenuItem>
      <MenuItem
        icon={<Languages />}
        onSelect={() => setChoice(language === 'zh-CN' ? 'en' : 'zh-CN')}
      >
        {language === 'zh-CN' ? 'English' : '中文'}
      </MenuItem>
      <MenuDivider />
      <MenuItem
        icon={<LogOut />}
        onSelect={() => {
          void signOut().then(() => navigate('/login', { replace: true, state: null }));
        }}
      >
        {t('nav.signOut')}
      </MenuItem>
    </Menu>
  );
}
