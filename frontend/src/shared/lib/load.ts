import { lazy, type ComponentType, type LazyExoticComponent } from 'react';

import { reportReachable, reportUnreachable } from './connection';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;

/** The files that the page at hand was made of; another build has other names. */
function entryFiles(root: Document): string {
  return [...root.querySelectorAll<HTMLScriptElement>('script[type="module"][src]')]
    .map((script) => new URL(script.src, window.location.origin).pathname)
    .join();
}

/** Whether the server has another build by now; throws when it does not answer. */
async function wasUpdated(): Promise<boolean> {
  const answer = await fetch('/', { cache: 'no-store', headers: { Accept: 'text/html' } });
  if (!answer.ok) throw new Error(`The page answers ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const files = entryFiles(page);
  return files !== '' && files !== entryFiles(document);
}

const pause = (ms: number) => new Promise<void>((resolve) => window.setTimeout(resolve, ms));

/**
 * Loads a part of the application however long the network or the server is away. Only when the server
 * has another build, whose files replaced the missing one, is the page loaded anew.
 */
export async function loadPatiently<T>(
  load: () => Promise<T>,
  reload: () => void = () => window.location.reload(),
): Promise<T> {
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    try {
      const part = await load();
      reportReachable();
      return part;
    } catch {
      try {
        if (await wasUpdated()) reload();
      } catch {
        reportUnreachable();
      }
    }
    await pause(wait);
  }
}

/** A screen that is loaded when it is first opened. */
export function lazyScreen<P extends object>(
  load: () => Promise<ComponentType<P>>,
): LazyExoticComponent<ComponentType<P>> {
  return lazy(async () => ({ default: await loadPatiently(load) }));
}
