import { Navigate, Outlet, useLocation } from 'react-router';

import { useProfile, useSignedIn } from '@/shared/session/session';
import { PageSpinner } from '@/shared/ui/states';

import { NotFound } from './fallbacks';

/** Sends visitors to the login and remembers where they wanted to go. */
export function RequireUser() {
  const signedIn = useSignedIn();
  const location = useLocation();
  if (!signedIn) {
    const from = `${location.pathname}${location.search}${location.hash}`;
    return <Navigate to="/login" replace state={{ from }} />;
  }
  return <Outlet />;
}

/** What is for administrators does not exist for others; the server enforces the same. */
export function RequireAdmin() {
  const profile = useProfile();
  if (profile.isPending) return <PageSpinner />;
  return profile.data?.isAdmin ? <Outlet /> : <NotFound />;
}
