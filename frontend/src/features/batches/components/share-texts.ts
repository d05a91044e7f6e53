import { useOwnTexts } from '@/shared/i18n/own-texts';

const zh = {
  title: '分享链接',
  text: '有链接的人不需要账户即可观看已完成的视频。链接会过期，也可以随时撤销。',
  days: '有效期',
  forDays: '{n} 天',
  make: '生成链接',
  link: '链接',
  copy: '复制',
  copied: '已复制',
  once: '链接只显示这一次。',
  whole: '整个批次',
  until: '有效至 {day}',
  revoke: '撤销',
};

const en: Record<keyof typeof zh, string> = {
  title: 'Share links',
  text: 'Whoever has a link watches the finished videos without an account. Links expire and can be revoked.',
  days: 'Good for',
  forDays: '{n} {n:day|days}',
  make: 'Make a link',
  link: 'Link',
  copy: 'Copy',
  copied: 'Copied',
  once: 'It is shown only this once.',
  whole: 'The whole batch',
  until: 'until {day}',
  revoke: 'Revoke',
};

export const shareTexts = { 'zh-CN': zh, en };

/** The words of the dialog about share links. */
export function useShareTexts() {
  return useOwnTexts(shareTexts);
}
