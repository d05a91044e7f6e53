/** The texts of the credentials' card. Only administrators load them, with its code: the first load is short of room. */
import { useOwnTexts } from '@/shared/i18n/own-texts';

const zh = {
  title: '凭据',
  text: '引擎向其服务器出示的凭据。加密保存，不再显示；新凭据 5 秒内在各处生效。',
  unknown: '无法查询凭据。',
  'origin.stored': '已设置',
  'origin.environment': '来自环境变量',
  'origin.none': '无',
  'use.none': '该引擎不使用凭据。',
  'use.required': '该引擎需要凭据。',
  since: '{time}，由 {name} 设置',
  'lastUse.unknown': '尚未使用',
  'lastUse.accepted': '服务器已接受',
  'lastUse.refused': '被服务器拒绝',
  unreadable: 'SECRET_KEY 已更换，凭据无法再读取，请重新设置。',
  new: '新凭据',
  newOf: '{engine} 的新凭据',
  hint: '服务商给出的密钥或令牌。',
  set: '设置',
  rotate: '更换',
  remove: '移除',
  removeOf: '移除 {engine} 的凭据？',
  removeText: '此后向其服务器的请求不再携带该凭据；若环境变量中有凭据，则使用它。',
};

type Texts = Record<keyof typeof zh, string>;

const en: Texts = {
  title: 'Credentials',
  text: 'What an engine shows to its server. It is stored encrypted and never shown again; a new one works everywhere within 5 seconds.',
  unknown: 'The credentials could not be asked for.',
  'origin.stored': 'set',
  'origin.environment': 'from the environment',
  'origin.none': 'none',
  'use.none': 'This engine takes no credential.',
  'use.required': 'This engine needs a credential.',
  since: '{time} by {name}',
  'lastUse.unknown': 'not used yet',
  'lastUse.accepted': 'accepted by its server',
  'lastUse.refused': 'refused by its server',
  unreadable: 'It cannot be read any more because SECRET_KEY changed. Set it again.',
  new: 'New credential',
  newOf: 'New credential of {engine}',
  hint: 'A key or token, as its provider gave it.',
  set: 'Set',
  rotate: 'Replace',
  remove: 'Remove',
  removeOf: 'Remove the credential of {engine}?',
  removeText:
    'Requests to its server go without it from now on, or with the one of the environment if there is one.',
};

export const credentialTexts = { 'zh-CN': zh, en };

export function useCredentialTexts() {
  return useOwnTexts(credentialTexts);
}
