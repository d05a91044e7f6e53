import { useOwnTexts } from '@/shared/i18n/own-texts';

const zh = {
  engine: '引擎',
  position: '在服务器上排第 {n} 位',
  eta: '约 {time}',
  madeBy: '由 {engine} 生成',
};

const en: Record<keyof typeof zh, string> = {
  engine: 'Engine',
  position: 'Number {n} at the server',
  eta: 'about {time}',
  madeBy: 'Made by {engine}',
};

export const batchEngineTexts = { 'zh-CN': zh, en };

/** The words about a batch's engine, which only the page of a batch needs. */
export function useBatchEngineTexts() {
  return useOwnTexts(batchEngineTexts);
}
