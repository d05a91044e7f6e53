import { RotateCw } from 'lucide-react';

import { useI18n } from '../i18n/i18n';
import { useWhenVisible } from '../lib/hooks';
import { Button } from './button';
import styles from './list-end.module.css';
import { Spinner } from './spinner';

/** What an infinite query tells of how far it is. */
interface PagedList {
  error: unknown;
  isError: boolean;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => Promise<unknown>;
}

/**
 * The end of a list that goes on: the next page is loaded when it comes near. After a failure nothing loads by
 * itself, and this says so: a list that just ended would pass for a whole one.
 */
export function ListEnd({ list }: { list: PagedList }) {
  const { t, explain } = useI18n();
  const { hasNextPage, isFetchingNextPage, isError } = list;
  const more = () => void list.fetchNextPage();
  const end = useWhenVisible(more, hasNextPage && !isFetchingNextPage && !isError);
  return (
    <div ref={end} className={styles.end}>
      {isFetchingNextPage ? (
        <Spinner />
      ) : (
        isError &&
        hasNextPage && (
          <>
            <p role="alert">{explain(list.error)}</p>
            <Button size="sm" icon={<RotateCw size={15} />} onClick={more}>
              {t('common.retry')}
            </Button>
          </>
        )
      )}
    </div>
  );
}
