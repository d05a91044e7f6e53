import { Navigate, Route, Routes } from 'react-router';

import { lazyScreen } from '@/shared/lib/load';

import { NotFound } from './fallbacks';
import { RequireAdmin, RequireUser } from './guards';

/* Every screen is loaded when it is first opened. */
const LoginPage = lazyScreen(async () => (await import('@/features/auth/login-page')).LoginPage);
const Shell = lazyScreen(async () => (await import('./shell')).Shell);
const CreatePage = lazyScreen(
  async () => (await import('@/features/create/create-page')).CreatePage,
);
const BatchesLayout = lazyScreen(
  async () => (await import('@/features/batches/batches-layout')).BatchesLayout,
);
const OverviewPage = lazyScreen(
  async () => (await import('@/features/batches/overview-page')).OverviewPage,
);
const BatchPage = lazyScreen(async () => (await import('@/features/batches/batch-page')).BatchPage);
const CreditsPage = lazyScreen(
  async () => (await import('@/features/credits/credits-page')).CreditsPage,
);
const AccountPage = lazyScreen(
  async () => (await import('@/features/account/account-page')).AccountPage,
);
const AdminLayout = lazyScreen(
  async () => (await import('@/features/admin/admin-layout')).AdminLayout,
);
const UsersPage = lazyScreen(async () => (await import('@/features/admin/users-page')).UsersPage);
const AllBatchesPage = lazyScreen(
  async () => (await import('@/features/admin/all-batches-page')).AllBatchesPage,
);
const UsagePage = lazyScreen(async () => (await import('@/features/admin/usage-page')).UsagePage);
const AuditPage = lazyScreen(async () => (await import('@/features/admin/audit-page')).AuditPage);
const SitePage = lazyScreen(async () => (await import('@/features/admin/site-page')).SitePage);
const EnginePage = lazyScreen(
  async () => (await import('@/features/admin/engine-page')).EnginePage,
);

export function AppRoutes() {
  return (
    <Routes>
      <Route path="/login" element={<LoginPage />} />
      <Route element={<RequireUser />}>
        <Route element={<Shell />}>
          <Route index element={<Navigate to="/batches" replace />} />
          <Route path="new" element={<CreatePage />} />
          <Route path="batches" element={<BatchesLayout />}>
            <Route index element={<OverviewPage />} />
            <Route path=":batchId" element={<BatchPage />}>
              {/* A video has an address of its own; the page draws the player over itself. */}
              <Route path="videos/:itemId" element={null} />
            </Route>
          </Route>
          <Route path="credits" element={<CreditsPage />} />
          <Route path="account" element={<AccountPage />} />
          {/* Not /admin: that is the site for operators that Django itself serves. */}
          <Route path="manage" element={<RequireAdmin />}>
            <Route element={<AdminLayout />}>
              <Route index element={<Navigate to="/manage/users" replace />} />
              <Route path="users" element={<UsersPage />} />
              <Route path="batches" element={<AllBatchesPage />} />
              <Route path="usage" element={<UsagePage />} />
              <Route path="audit" element={<AuditPage />} />
              <Route path="engine" element={<EnginePage />} />
              <Route path="site" element={<SitePage />} />
            </Route>
          </Route>
          <Route path="*" element={<NotFound />} />
        </Route>
      </Route>
    </Routes>
  );
}
