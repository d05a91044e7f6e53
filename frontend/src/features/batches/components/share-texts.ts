import type { Language } from '@/shared/i18n/language';

interface Texts {
  title: string;
  text: string;
  days: string;
  forDays: (n: number) => string;
  make: string;
  link: string;
  copy: string;
  copied: string;
  once: string;
  whole: string;
  until: (day: string) => string;
  revoke: string;
}

/** The words of one dialog, loaded with it rather than by everybody. */
export const shareTexts: Record<Language, Texts> = {
  'zh-CN': {
    title: '分享链接',
    text: '有链接的人不需要账户即可观看已完成的视频。链接会过期，也可以随时撤销。',
    days: '有效期',
    forDays: (n) => `${n} 天`,
    make: '生成链接',
    link: '链接',
    copy: '复制',
    copied: '已复制',
    once: '链接只显示这一次。',
    whole: '整个批次',
    until: (day) => `有效至 ${day}`,
    revoke: '撤销',
  },
  en: {
    title: 'Share links',
    text: 'Whoever has a link watches the finished videos without an account. Links expire and can be revoked.',
    days: 'Good for',
    forDays: (n) => (n === 1 ? '1 day' : `${n} days`),
    make: 'Make a link',
    link: 'Link',
    copy: 'Copy',
    copied: 'Copied',
    once: 'It is shown only this once.',
    whole: 'The whole batch',
    until: (day) => `until ${day}`,
    revoke: 'Revoke',
  },
};
