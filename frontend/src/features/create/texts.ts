import { useOwnTexts } from '@/shared/i18n/own-texts';

const zh = {
  engine: '引擎',
  automatic: '自动 · {engine}',
  automaticText: '系统的规则可能为批次选择其他引擎。',
  flat: '每个视频 1 积分',
  byLength: '录音每 {time} 1 积分，不足按 {time}计',
  recording: '录音 {least}至 {most}',
  promptFollowed: '支持描述',
  promptIgnored: '不支持描述',
  gone: '引擎 {engine} 已不再提供，请另选。',
  priceVaries: '价格取决于由哪个引擎生成，请先检查文件：检查会显示价格，不扣积分。',
  priceUnknown:
    '还不知道价格：服务器还没有告知，会自动再问。也可以先检查文件：检查会显示价格，不扣积分。',
  promptUnheard: '引擎 {engine} 不支持描述：生成视频时不会用到。',
  promptUnheardByDefault: '默认引擎 {engine} 不支持描述：由它生成的视频不会用到。',
  toDraft: '回到草稿',
  madeBy: '全部文件检查通过，将由 {engine} 生成。',
  image_too_small: '图片太小，每边至少要 {limit} 像素。',
  audio_too_short: '录音太短，至少 {time}。',
  audio_too_long: '录音太长，最多 {time}。',
  seconds: '{n} 秒',
  minutes: '{n} 分钟',
  minutesAndSeconds: '{minutes} 分 {seconds} 秒',
};

export type CreateText = keyof typeof zh;

const en: Record<CreateText, string> = {
  engine: 'Engine',
  automatic: 'Automatic · {engine}',
  automaticText: 'Rules of this installation may choose another engine for a batch.',
  flat: '1 credit a video',
  byLength: '1 credit per started {time} of the recording',
  recording: 'Takes {least} to {most}',
  promptFollowed: 'follows prompts',
  promptIgnored: 'ignores prompts',
  gone: 'The engine {engine} is not offered any more. Choose another one.',
  priceVaries:
    'The price depends on which engine makes the videos. Check the files first: that shows it and charges nothing.',
  priceUnknown:
    'The price is not known: the server has not told it yet, and is asked again. Or check the files: that shows it too and charges nothing.',
  promptUnheard: 'The engine {engine} follows no prompt: the videos are made without it.',
  promptUnheardByDefault:
    'The default engine, {engine}, follows no prompt: what it makes is made without it.',
  toDraft: 'Back to the draft',
  madeBy: 'All files passed. The videos will be made by {engine}.',
  image_too_small: 'Too small: each side needs at least {limit} pixels.',
  audio_too_short: 'Too short: at least {time} are needed.',
  audio_too_long: 'Too long: {time} at most.',
  seconds: '{n} s',
  minutes: '{n} min',
  minutesAndSeconds: '{minutes} min {seconds} s',
};

export const createTexts = { 'zh-CN': zh, en };

export type CreateTexts = (
  key: CreateText,
  params?: Readonly<Record<string, string | number>>,
) => string;

/** The words of the new batch's form that nobody else needs. */
export function useCreateTexts(): CreateTexts {
  return useOwnTexts(createTexts);
}

/** A limit as it is, "0.5 s" or "1 min 30 s", where `Formatter.span` would round it. */
export function exactLength(seconds: number, text: CreateTexts): string {
  if (seconds < 60) return text('seconds', { n: seconds });
  const minutes = Math.floor(seconds / 60);
  const rest = Math.round((seconds - minutes * 60) * 100) / 100;
  return rest === 0
    ? text('minutes', { n: minutes })
    : text('minutesAndSeconds', { minutes, seconds: rest });
}
