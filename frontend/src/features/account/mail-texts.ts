import { useOwnTexts } from '@/shared/i18n/own-texts';

const zh = {
  title: '电子邮件通知',
  address: '电子邮件地址',
  hint: '批次完成时会发送邮件；留空则不再发送。',
  save: '保存',
  saved: '已保存',
  waiting: '确认邮件已发往 {address}。请在一天之内打开其中的链接。',
  confirmed: '地址已确认',
};

const en: Record<keyof typeof zh, string> = {
  title: 'E-mail',
  address: 'E-mail address',
  hint: 'A letter comes when a batch is done. Leave it empty to get none.',
  save: 'Save',
  saved: 'Saved',
  waiting: 'A letter was sent to {address}. Open the link in it within a day.',
  confirmed: 'The address is confirmed',
};

export const mailTexts = { 'zh-CN': zh, en };

/** The words of the card about e-mail. */
export function useMailTexts() {
  return useOwnTexts(mailTexts);
}
