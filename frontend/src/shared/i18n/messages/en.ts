import type { Messages } from './zh';
import { account } from './en/account';
import { admin } from './en/admin';
import { batches } from './en/batches';
import { create } from './en/create';
import { errors } from './en/errors';
import { general } from './en/general';

export const messages: Messages = {
  ...account,
  ...admin,
  ...batches,
  ...create,
  ...errors,
  ...general,
};
