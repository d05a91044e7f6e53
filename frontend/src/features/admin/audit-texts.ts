import type { Language } from '@/shared/i18n/language';

interface Texts {
  /** Of a detail by its name in the log; one that is missing here is shown as it is called there. */
  names: Record<string, string>;
  earlier: (name: string) => string;
}

/** The words of one page, loaded with it rather than by everybody. */
export const auditTexts: Record<Language, Texts> = {
  'zh-CN': {
    names: {
      amount: '变动',
      balance: '余额',
      batch: '批次',
      before: '之前',
      after: '之后',
      cancelled: '已取消',
      count: '数量',
      enabled: '启用',
      engine: '引擎',
      fallbacks: '备用引擎',
      group_id: '用户组',
      max_audio_s: '最长录音（秒）',
      min_audio_s: '最短录音（秒）',
      offered: '可供选择',
      position: '顺序',
      prompt: '提示词',
      credits: '积分',
      expires_at: '有效至',
      images: '图片',
      is_admin: '管理员',
      name: '名称',
      new_name: '新名称',
      queue_weight: '队列权重',
      quota_mb: '存储配额（MB）',
      replaced: '替换了原有凭据',
      retention_days: '保留天数',
      status: '状态',
      videos: '视频',
    },
    earlier: (name) => `${name}（之前）`,
  },
  en: {
    names: {
      amount: 'change',
      balance: 'balance',
      batch: 'batch',
      before: 'before',
      after: 'after',
      cancelled: 'cancelled',
      count: 'number',
      enabled: 'in force',
      engine: 'engine',
      fallbacks: 'fall back to',
      group_id: 'user group',
      max_audio_s: 'longest recording (s)',
      min_audio_s: 'shortest recording (s)',
      offered: 'offered',
      position: 'position',
      prompt: 'prompt',
      credits: 'credits',
      expires_at: 'good until',
      images: 'images',
      is_admin: 'administrator',
      name: 'name',
      new_name: 'new name',
      queue_weight: 'weight in the queue',
      quota_mb: 'quota (MB)',
      replaced: 'replaced an earlier one',
      retention_days: 'days kept',
      status: 'state',
      videos: 'videos',
    },
    earlier: (name) => `${name} (before)`,
  },
};
