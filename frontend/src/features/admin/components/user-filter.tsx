import { useInfiniteQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';

import { useI18n } from '@/shared/i18n/i18n';
import { useDebounced } from '@/shared/lib/hooks';
import { SearchField } from '@/shared/ui/field';

import { usersQuery } from '../api';

/** A user name, completed from the server's list; a name that exists gives its user's id, else "". */
export function UserFilter({
  initial,
  onChange,
}: {
  initial: string;
  onChange: (id: string) => void;
}) {
  const { t } = useI18n();
  const [text, setText] = useState(initial);
  const list = useId();
  const settled = useDebounced(text.trim());
  const found = useInfiniteQuery({ ...usersQuery(settled, 'username'), enabled: settled !== '' });
  const users = found.data?.pages.flatMap((page) => page.users) ?? [];
  const choose = (value: string) => {
    setText(value);
    onChange(users.find((user) => user.username === value.trim())?.id ?? '');
  };
  return (
    <>
      <SearchField label={t('admin.byUser')} value={text} onChange={choose} list={list} />
      <datalist id={list}>
        {users.slice(0, 20).map((user) => (
          <option key={user.id} value={user.username} />
        ))}
      </datalist>
    </>
  );
}
