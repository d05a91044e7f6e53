import { useInfiniteQuery } from '@tanstack/react-query';
import {
  Gem,
  Ellipsis,
  KeyRound,
  Library,
  LogOut,
  ReceiptText,
  ShieldCheck,
  UserPlus,
  UserRoundCheck,
  UserRoundX,
  Users,
  UsersRound,
} from 'lucide-react';
import { useState } from 'react';
import { useNavigate } from 'react-router';

import type { User } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { useDebounced } from '@/shared/lib/hooks';
import { useProfile } from '@/shared/session/session';
import { Button, IconButton } from '@/shared/ui/button';
import { ConfirmDialog } from '@/shared/ui/dialog';
import { SearchField } from '@/shared/ui/field';
import { ListEnd } from '@/shared/ui/list-end';
import { Menu, MenuDivider, MenuItem } from '@/shared/ui/menu';
import { Select } from '@/shared/ui/select';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/shared/ui/states';
import { useToast } from '@/shared/ui/toast';

import { USER_ORDERINGS, useSetActive, usersQuery, type UserOrdering } from './api';
import { EndSessionsDialog, GroupDialog, ResetPasswordDialog } from './components/access-dialogs';
import { CreateUserDialog } from './components/create-user-dialog';
import { CreditsDialog } from './components/credits-dialog';
import { LedgerDialog } from './components/ledger-dialog';
import styles from './users-page.module.css';

type Open =
  | {
      kind: 'credits' | 'ledger' | 'active' | 'password' | 'sessions' | 'group';
      user: User;
    }
  | { kind: 'create' }
  | null;

export function UsersPage() {
  const { t } = useI18n();
  const [search, setSearch] = useState('');
  const [ordering, setOrdering] = useState<UserOrdering>('-created_at');
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  return (
    <>
      <div className={styles.bar}>
        <div className={styles.search}>
          <SearchField label={t('users.search')} value={search} onChange={setSearch} />
        </div>
        <Select
          label={t('users.order')}
          value={ordering}
          onChange={setOrdering}
          options={USER_ORDERINGS.map((value) => ({ value, label: t(`users.order.${value}`) }))}
        />
        <Button
          variant="primary"
          icon={<UserPlus size={16} />}
          onClick={() => setOpen({ kind: 'create' })}
        >
          {t('users.create')}
        </Button>
      </div>
      <UserTable search={useDebounced(search)} ordering={ordering} onOpen={setOpen} />
      {open?.kind === 'create' && <CreateUserDialog onClose={close} />}
      {open?.kind === 'credits' && <CreditsDialog user={open.user} onClose={close} />}
      {open?.kind === 'ledger' && <LedgerDialog user={open.user} onClose={close} />}
      {open?.kind === 'password' && <ResetPasswordDialog user={open.user} onClose={close} />}
      {open?.kind === 'sessions' && <EndSessionsDialog user={open.user} onClose={close} />}
      {open?.kind === 'group' && <GroupDialog user={open.user} onClose={close} />}
      {open?.kind === 'active' && <ActiveDialog user={open.user} onClose={close} />}
    </>
  );
}

function UserTable({
  search,
  ordering,
  onOpen,
}: {
  search: string;
  ordering: UserOrdering;
  onOpen: (open: Open) => void;
}) {
  const { t } = useI18n();
  const list = useInfiniteQuery(usersQuery(search, ordering));
  if (list.isPending) {
    return (
      <Loading>
        {[0, 1, 2, 3, 4].map((n) => (
          <Skeleton key={n} style={{ height: 54, marginBottom: 8 }} />
        ))}
      </Loading>
    );
  }
  if (list.isError && !list.data) {
    return <ErrorState error={list.error} onRetry={() => void list.refetch()} />;
  }
  const users = list.data?.pages.flatMap((page) => page.users) ?? [];
  if (users.length === 0) {
    return (
      <EmptyState icon={<Users size={26} />} title={t('users.noneTitle')}>
        {t('users.noneText')}
      </EmptyState>
    );
  }
  return (
    <>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{t('users.name')}</th>
            <th scope="col" className={styles.wide}>
              {t('users.since')}
            </th>
            <th scope="col" className={styles.number}>
              {t('credits.title')}
            </th>
            <th scope="col">
              <span className="visually-hidden">{t('common.more')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <UserRow key={user.id} user={user} onOpen={onOpen} />
          ))}
        </tbody>
      </table>
      <ListEnd list={list} />
    </>
  );
}

function UserRow({ user, onOpen }: { user: User; onOpen: (open: Open) => void }) {
  const { t, format } = useI18n();
  const me = useProfile().data;
  const navigate = useNavigate();
  const active = user.is_active;
  return (
    <tr data-inactive={!active || undefined}>
      <th scope="row" className={styles.name}>
        <span className={styles.nameText}>{user.username}</span>
        {user.isAdmin && (
          <span className={styles.tag}>
            <ShieldCheck size={12} aria-hidden="true" />
            {t('users.admin')}
          </span>
        )}
        {!active && <span className={styles.off}>{t('users.inactive')}</span>}
      </th>
      <td className={styles.wide}>{format.dateTime(user.created_at)}</td>
      <td className={styles.number}>{format.number(user.credits)}</td>
      <td className={styles.tools}>
        <Button
          size="sm"
          icon={<Gem size={15} />}
          aria-label={t('users.changeCreditsOf', { name: user.username })}
          onClick={() => onOpen({ kind: 'credits', user })}
        >
          <span className={styles.wideInline}>{t('users.changeCredits')}</span>
        </Button>
        <Menu
          trigger={
            <IconButton label={t('users.menu', { name: user.username })} size="sm" tip={false}>
              <Ellipsis size={17} />
            </IconButton>
          }
        >
          <MenuItem icon={<ReceiptText />} onSelect={() => onOpen({ kind: 'ledger', user })}>
            {t('users.ledger')}
          </MenuItem>
          <MenuItem
            icon={<Library />}
            onSelect={() =>
              void navigate(
                `/manage/batches?${new URLSearchParams({ user: user.id, name: user.username })}`,
              )
            }
          >
            {t('users.batches')}
          </MenuItem>
          <MenuItem icon={<UsersRound />} onSelect={() => onOpen({ kind: 'group', user })}>
            {t('users.changeGroup')}
          </MenuItem>
          <MenuDivider />
          <MenuItem
            icon={<KeyRound />}
            disabled={me?.id === user.id}
            onSelect={() => onOpen({ kind: 'password', user })}
          >
            {t('users.resetPassword')}
          </MenuItem>
          <MenuItem icon={<LogOut />} onSelect={() => onOpen({ kind: 'sessions', user })}>
            {t('users.endSessions')}
          </MenuItem>
          <MenuItem
            icon={active ? <UserRoundX /> : <UserRoundCheck />}
            danger={active}
            disabled={me?.id === user.id}
            onSelect={() => onOpen({ kind: 'active', user })}
          >
            {t(active ? 'users.deactivate' : 'users.activate')}
          </MenuItem>
        </Menu>
      </td>
    </tr>
  );
}

function ActiveDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const { t, explain } = useI18n();
  const toast = useToast();
  const change = useSetActive();
  const active = user.is_active;
  return (
    <ConfirmDialog
      open
      onOpenChange={onClose}
      title={t(active ? 'users.deactivateTitle' : 'users.activateTitle', { name: user.username })}
      description={t(active ? 'users.deactivateText' : 'users.activateText')}
      confirmLabel={t(active ? 'users.deactivate' : 'users.activate')}
      danger={active}
      busy={change.isPending}
      error={change.isError ? explain(change.error) : null}
      onConfirm={() =>
        change.mutate(
          { id: user.id, active: !active },
          {
            onSuccess: () => {
              toast(t('common.saved'));
              onClose();
            },
          },
        )
      }
    />
  );
}
