import '@testing-library/jest-dom/vitest';

import { cleanup, configure } from '@testing-library/react';
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';

import { forgetAnswers, setClientLanguage } from '@/shared/api/client';
import { forgetEverything } from '@/shared/api/direct-upload';

import { server, uploads } from './server';

class SilentObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
  takeRecords() {
    return [];
  }
}

/** A grid needs a width to lay out; jsdom has no layout. */
class WideObserver extends SilentObserver {
  private readonly callback: ResizeObserverCallback;

  constructor(callback: ResizeObserverCallback) {
    super();
    this.callback = callback;
  }

  override observe() {
    const entry = { contentRect: { width: 900 } } as ResizeObserverEntry;
    this.callback([entry], this);
  }
}

beforeAll(() => {
  // Waiting ends as soon as the text is there; the limit only bounds a busy machine.
  configure({ asyncUtilTimeout: 30_000 });
  vi.stubGlobal('ResizeObserver', WideObserver);
  vi.stubGlobal('IntersectionObserver', SilentObserver);
  vi.stubGlobal('matchMedia', (query: string) => ({
    matches: false,
    media: query,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }));
  vi.stubGlobal('scrollTo', () => undefined);
  URL.createObjectURL = () => `blob:test-${Math.random()}`;
  URL.revokeObjectURL = () => undefined;
  HTMLElement.prototype.hasPointerCapture = () => false;
  HTMLElement.prototype.scrollIntoView = () => undefined;
  HTMLImageElement.prototype.decode = function decode() {
    Object.defineProperty(this, 'naturalWidth', { value: 512 });
    Object.defineProperty(this, 'naturalHeight', { value: 512 });
    return Promise.resolve();
  };
  HTMLMediaElement.prototype.play = () => Promise.resolve();
  HTMLMediaElement.prototype.pause = () => undefined;
  server.listen({ onUnhandledRequest: 'error' });
});

beforeEach(() => {
  localStorage.clear();
  forgetAnswers();
  forgetEverything();
  uploads.reset();
  window.history.replaceState(null, '', '/');
  document.documentElement.removeAttribute('lang');
  setClientLanguage('zh-CN');
});

afterEach(() => {
  cleanup();
  server.resetHandlers();
});

afterAll(() => server.close());
