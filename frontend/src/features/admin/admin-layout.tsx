import {
  ChartColumn,
  ClipboardList,
  Cpu,
  Library,
  SquareArrowOutUpRight,
  Users,
} from 'lucide-react';
import { NavLink, Outlet } from 'react-router';

import { useI18n } from '@/shared/i18n/i18n';
import { Page } from '@/shared/ui/page';

import styles from './admin-layout.module.css';

export function AdminLayout() {
  const { t } = useI18n();
  return (
    <Page title={t('admin.title')}>
      <nav className={styles.tabs} aria-label={t('admin.title')}>
        <NavLink to="/manage/users">
          <Users size={16} aria-hidden="true" />
          {t('admin.users')}
        </NavLink>
        <NavLink to="/manage/batches">
          <Library size={16} aria-hidden="true" />
          {t('admin.batches')}
        </NavLink>
        <NavLink to="/manage/usage">
          <ChartColumn size={16} aria-hidden="true" />
          {t('admin.usage')}
        </NavLink>
        <NavLink to="/manage/audit">
          <ClipboardList size={16} aria-hidden="true" />
          {t('admin.audit')}
        </NavLink>
        <NavLink to="/manage/engine">
          <Cpu size={16} aria-hidden="true" />
          {t('admin.engine')}
        </NavLink>
        <NavLink to="/manage/site">
          <SquareArrowOutUpRight size={16} aria-hidden="true" />
          {t('admin.site')}
        </NavLink>
      </nav>
      <Outlet />
    </Page>
  );
}
