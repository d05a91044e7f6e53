import { useEffect, useRef, useState } from 'react';
import { useSearchParams } from 'react-router';

import { useI18n } from '@/shared/i18n/i18n';
import { Button } from '@/shared/ui/button';
import { Card } from '@/shared/ui/page';
import { ErrorState, PageSpinner } from '@/shared/ui/states';

import { askForHandover } from './api';

/** Where the web application opens a page of the administration site without another log-in. */
export function siteAddress(next: string): string {
  return `/manage/site?${new URLSearchParams({ next })}`;
}

/** Passes the session on to the administration site, which opens one of its own. */
export function SitePage() {
  const { t } = useI18n();
  const [search] = useSearchParams();
  const next = search.get('next') ?? '';
  const form = useRef<HTMLFormElement>(null);
  const [error, setError] = useState<unknown>(null);
  const [left, setLeft] = useState(false);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    const abort = new AbortController();
    setError(null);
    setLeft(false);
    askForHandover(abort.signal)
      .then(({ code, url }) => {
        const target = form.current;
        if (!target || abort.signal.aborted) return;
        target.action = url;
        (target.elements.namedItem('code') as HTMLInputElement).value = code;
        target.submit();
        setLeft(true);
      })
      .catch((reason: unknown) => {
        if (!abort.signal.aborted) setError(reason);
      });
    return () => abort.abort();
  }, [attempt]);

  const again = () => setAttempt((count) => count + 1);
  return (
    <>
      <form ref={form} method="post" hidden>
        <input type="hidden" name="code" />
        <input type="hidden" name="next" value={next} />
      </form>
      {error ? (
        <ErrorState error={error} onRetry={again} />
      ) : left ? (
        <Card>
          <p>{t('admin.siteOpening')}</p>
          <p>{t('admin.siteOpened')}</p>
          <Button onClick={again}>{t('common.retry')}</Button>
        </Card>
      ) : (
        <PageSpinner />
      )}
    </>
  );
}
