import { useOwnTexts } from '@/shared/i18n/own-texts';

const zh = {
  engines: '引擎',
  own: '默认',
  workers: '{n} 个工作进程',
  noWorker: '没有工作进程',
  ofWorker: '{name} 的引擎',
};

const en: Record<keyof typeof zh, string> = {
  engines: 'Engines',
  own: 'default',
  workers: '{n} {n:worker|workers}',
  noWorker: 'no worker',
  ofWorker: 'Engines of {name}',
};

export const engineTexts = { 'zh-CN': zh, en };

/** The words about several engines, which only administrators need. */
export function useEngineTexts() {
  return useOwnTexts(engineTexts);
}
