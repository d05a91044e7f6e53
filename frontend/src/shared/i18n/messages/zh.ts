import { account } from './zh/account';
import { admin } from './zh/admin';
import { batches } from './zh/batches';
import { create } from './zh/create';
import { errors } from './zh/errors';
import { general } from './zh/general';

/** Chinese, the reference: every other language has exactly these keys, in the same rooms. */
export const messages = { ...account, ...admin, ...batches, ...create, ...errors, ...general };

export type Messages = Record<keyof typeof messages, string>;
