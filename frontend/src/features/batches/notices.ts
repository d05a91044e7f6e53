/** Telling that a batch is done to whoever looks at something else: by the browser, where it was asked for. */
import { useSyncExternalStore } from 'react';

import type { Batch } from '@/shared/api/types';
import type { Translate } from '@/shared/i18n/i18n';

import { isMoving } from './polling';

const KEY = 'notices';
const listeners = new Set<() => void>();
const moving = new Set<string>();

/** Chrome on Android has the constructor and lets nobody use it, which it tells only when it is called. */
let refused: unknown = null;

const supported = () => 'Notification' in window && window.Notification !== refused;

function wanted(): boolean {
  return supported() && Notification.permission === 'granted' && localStorage.getItem(KEY) === 'on';
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export type Notices = 'unsupported' | 'denied' | 'on' | 'off';

function state(): Notices {
  if (!supported()) return 'unsupported';
  if (Notification.permission === 'denied') return 'denied';
  return wanted() ? 'on' : 'off';
}

export function useNotices(): Notices {
  return useSyncExternalStore(subscribe, state);
}

/** Asks the browser only when somebody presses the button. */
export async function setNotices(on: boolean): Promise<void> {
  if (on && supported() && Notification.permission === 'default')
    await Notification.requestPermission();
  localStorage.setItem(KEY, on ? 'on' : 'off');
  announce();
}

function announce(): void {
  for (const listener of listeners) listener();
}

function show(title: string, options: NotificationOptions): void {
  let notice: Notification;
  try {
    notice = new Notification(title, options);
  } catch {
    refused = Notification;
    announce();
    return;
  }
  notice.onclick = () => {
    window.focus();
    notice.close();
  };
}

/** Takes note of how batches are; tells of each that came to rest since, while nobody looks. */
export function noteProgress(
  batches: readonly Pick<Batch, 'id' | 'name' | 'progress'>[],
  t: Translate,
): void {
  for (const batch of batches) {
    if (isMoving(batch.progress)) moving.add(batch.id);
    else if (moving.delete(batch.id) && wanted() && document.hidden) {
      show(batch.name, {
        body: t('notices.done', { n: batch.progress.completed }),
        tag: batch.id,
      });
    }
  }
}
