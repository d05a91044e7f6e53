import { Gem, FolderOpen, Plus, ShieldCheck, UserRound, WifiOff } from 'lucide-react';
import { Suspense, useEffect, useRef } from 'react';
import { Link, NavLink, Outlet, useLocation } from 'react-router';

import { useI18n } from '@/shared/i18n/i18n';
import { cx } from '@/shared/lib/cx';
import { useConnected } from '@/shared/lib/connection';
import { lazyScreen } from '@/shared/lib/load';
import { useProfile } from '@/shared/session/session';
import { PageSpinner } from '@/shared/ui/states';
import { Tip } from '@/shared/ui/tip';

import logo from './assets/logo.svg';
import { ErrorBoundary } from './fallbacks';
import styles from './shell.module.css';

// Menus bring their positioning along; they may come a moment after the screen.
const UserMenu = lazyScreen(async () => (await import('./user-menu')).UserMenu);

export function Shell() {
  const { t } = useI18n();
  const connected = useConnected();
  const main = useRef<HTMLElement>(null);
  // A video played over its batch is the same screen.
  const pathname = useLocation().pathname.replace(/\/videos\/[^/]+$/, '');
  const first = useRef(true);

  // A new screen starts at its top, and screen readers start reading there.
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [pathname]);

  return (
    <div className={styles.shell}>
      <a href="#main" className={styles.skip}>
        {t('nav.skip')}
      </a>
      <Navigation />
      <div className={styles.body}>
        <TopBar />
        {!connected && (
          <p className={styles.offline} role="status">
            <WifiOff size={16} aria-hidden="true" /> {t('state.offlineBanner')}
          </p>
        )}
        <main id="main" ref={main} tabIndex={-1} className={styles.main}>
          <ErrorBoundary resetKey={pathname}>
            <Suspense fallback={<PageSpinner />}>
              <Outlet />
            </Suspense>
          </ErrorBoundary>
        </main>
      </div>
    </div>
  );
}

function Navigation() {
  const { t } = useI18n();
  const admin = useAdminLink();
  return (
    <aside className={styles.rail}>
      <Link to="/batches" className={styles.brand}>
        <img src={logo} alt="" width={32} height={32} />
        <span className={styles.brandName}>
          智影 <small>AI</small>
        </span>
      </Link>
      <nav aria-label={t('nav.main')} className={styles.nav}>
        <Item to="/new" label={t('nav.new')} icon={<Plus size={20} />} primary />
        <Item to="/batches" label={t('nav.batches')} icon={<FolderOpen size={20} />} />
        <Item to="/credits" label={t('nav.credits')} icon={<Gem size={20} />} />
        {admin && <Item to="/manage" label={t('nav.admin')} icon={<ShieldCheck size={20} />} />}
        <Item to="/account" label={t('nav.account')} icon={<UserRound size={20} />} phoneOnly />
      </nav>
      <div className={styles.foot}>
        <Balance />
        <Suspense fallback={<div className={styles.userSpace} />}>
          <UserMenu />
        </Suspense>
      </div>
    </aside>
  );
}

const WAS_ADMIN = 'was_admin';

/** Whether the link is shown. Until the profile is known, as last time: a link that comes later moves the others. */
function useAdminLink(): boolean {
  const known = useProfile().data?.isAdmin;
  useEffect(() => {
    if (known !== undefined) localStorage.setItem(WAS_ADMIN, known ? 'yes' : '');
  }, [known]);
  return known ?? localStorage.getItem(WAS_ADMIN) === 'yes';
}

function Item({
  to,
  label,
  icon,
  primary = false,
  phoneOnly = false,
}: {
  to: string;
  label: string;
  icon: React.ReactNode;
  primary?: boolean;
  phoneOnly?: boolean;
}) {
  return (
    <NavLink
      to={to}
      className={cx(styles.link, primary && styles.primary, phoneOnly && styles.phoneOnly)}
    >
      {icon}
      <span className={styles.linkLabel}>{label}</span>
    </NavLink>
  );
}

function Balance() {
  const { t, format } = useI18n();
  const credits = useProfile().data?.credits;
  return (
    <Tip text={t('credits.balanceHint')}>
      <Link to="/credits" className={styles.balance}>
        <span className={styles.balanceLabel}>{t('credits.balance')}</span>
        <span className={styles.balanceValue}>
          <Gem size={16} aria-hidden="true" />
          <span className="tabular" data-testid="balance">
            {credits === undefined ? '–' : format.number(credits)}
          </span>
        </span>
      </Link>
    </Tip>
  );
}

/** The phone's head: brand and balance. */
function TopBar() {
  const { t, format } = useI18n();
  const credits = useProfile().data?.credits;
  return (
    <header className={styles.top}>
      <Link to="/batches" className={styles.brand}>
        <img src={logo} alt="" width={28} height={28} />
        <span>
          智影 <small>AI</small>
        </span>
      </Link>
      <Link to="/credits" className={styles.chip}>
        <Gem size={15} aria-hidden="true" />
        <span className="visually-hidden">{t('credits.balance')}</span>
        <span className="tabular">{credits === undefined ? '–' : format.number(credits)}</span>
      </Link>
    </header>
  );
}
