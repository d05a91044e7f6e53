import { lazy } from 'react';
import { Navigate, Route, Routes } from 'react-router';

import { NotFound } from './fallbacks';
import { RequireAdmin, RequireUser } from './guards';

/* Every screen is loaded when it is first opened. */
const LoginPage = lazy(async () => ({
  default: (await import('@/features/auth/login-page')).LoginPage,
}));
const Shell = lazy(async () => ({ default: (await import('./shell')).Shell }));
const CreatePage = lazy(async () => ({
  default: (await import('@/features/create/create-page')).CreatePage,
}));
const BatchesLayout = lazy(async () => ({
  default: (await import('@/features/batches/batches-layout')).BatchesLayout,
}));
const OverviewPage = lazy(async () => ({
  default: (await import('@/features/batches/overview-page')).OverviewPage,
}));
const BatchPage = lazy(async () => ({
  default: (await import('@/features/batches/batch-page')).BatchPage,
}));
const CreditsPage = lazy(async () => ({
  default: (await import('@/features/credits/credits-page')).CreditsPage,
}));
const AccountPage = lazy(async () => ({
  default: (await import('@/features/account/account-page')).AccountPage,
}));
const AdminLayout = lazy(async () => ({
  default: (await import('@/features/admin/admin-layout')).AdminLayout,
}));
const UsersPage = lazy(async () => ({
  default: (await import('@/features/admin/users-page')).UsersPage,
}));
const AllBatchesPage = lazy(async () => ({
  default: (await import('@/features/admin/all-batches-page')).AllBatchesPage,
}));
const UsagePage = lazy(async () => ({
  default: (await import('@/features/admin/usage-page')).UsagePage,
}));
const EnginePage = lazy(async () => ({
  default: (await import('@/features/admin/engine-page')).EnginePage,
}));

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
            <Route path=":batchId" element={<BatchPage />} />
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
              <Route path="engine" element={<EnginePage />} />
            </Route>
          </Route>
          <Route path="*" element={<NotFound />} />
        </Route>
      </Route>
    </Routes>
  );
}
