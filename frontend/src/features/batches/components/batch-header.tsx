import {
  Ban,
  CopyPlus,
  Cpu,
  Download,
  Ellipsis,
  Link2,
  Music2,
  Pencil,
  RotateCw,
  Trash2,
  UserRound,
} from 'lucide-react';
import { Suspense, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';

import type { Batch } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { lazyScreen } from '@/shared/lib/load';
import { saveUrl } from '@/shared/lib/save';
import { useProfile } from '@/shared/session/session';
import { Button, IconButton } from '@/shared/ui/button';
import { ConfirmDialog } from '@/shared/ui/dialog';
import { Menu, MenuDivider, MenuItem } from '@/shared/ui/menu';
import { StatusBadge } from '@/shared/ui/status';
import { useToast } from '@/shared/ui/toast';

import { fetchExport, useBatchAction } from '../api';
import { isMoving } from '../polling';
import styles from './batch-header.module.css';
import { useBatchEngineTexts } from './engine-texts';
import { RenameDialog } from './rename-dialog';

const ShareDialog = lazyScreen(async () => (await import('./share-dialog')).ShareDialog);

export function BatchHeader({ batch }: { batch: Batch }) {
  const { t, format } = useI18n();
  const text = useBatchEngineTexts();
  const profile = useProfile().data;
  const foreign = profile !== undefined && profile.id !== batch.userId;
  return (
    <header className={styles.header}>
      <div className={styles.text}>
        <div className={styles.titleRow}>
          <h1 className={styles.title} title={batch.name}>
            {batch.name}
          </h1>
          <StatusBadge status={batch.status} />
        </div>
        <p className={styles.meta}>
          <span>{format.dateTime(batch.timestamp)}</span>
          <span>{t('batches.videos', { n: batch.imageCount })}</span>
          <span>{t('batch.creditsUsed', { n: batch.creditsUsed })}</span>
        </p>
        <p className={styles.origin}>
          {batch.audioName && (
            <span className={styles.iconText}>
              <Music2 size={13} aria-hidden="true" />
              <span className="visually-hidden">{t('create.audio')}: </span>
              {batch.audioName}
            </span>
          )}
          {batch.engine_label && (
            <span className={styles.iconText}>
              <Cpu size={13} aria-hidden="true" />
              <span className="visually-hidden">{text('engine')}: </span>
              {batch.engine_label}
            </span>
          )}
          {foreign && (
            <span className={styles.iconText}>
              <UserRound size={13} aria-hidden="true" />
              {batch.userName}
            </span>
          )}
        </p>
        {batch.prompt && <p className={styles.prompt}>{batch.prompt}</p>}
      </div>
      <Actions batch={batch} own={profile?.id === batch.userId} />
    </header>
  );
}

type Asking = 'cancel' | 'delete' | 'rename' | 'share' | null;

function Actions({ batch, own }: { batch: Batch; own: boolean }) {
  const { t, explain } = useI18n();
  const [asking, setAsking] = useState<Asking>(null);
  const action = useBatchAction(batch.id);
  const toast = useToast();
  const navigate = useNavigate();
  const { search } = useLocation();
  const [zipping, setZipping] = useState(false);
  const { progress } = batch;
  const retryable = batch.items.filter((item) => item.retry_helps).length;
  const open = (what: Asking) => {
    action.reset();
    setAsking(what);
  };

  const download = async () => {
    setZipping(true);
    try {
      const answer = await fetchExport(batch.id);
      if (answer.zip_url) saveUrl(answer.zip_url);
      else for (const file of answer.files) saveUrl(file.url, file.name);
    } catch (error) {
      toast(explain(error), 'bad');
    } finally {
      setZipping(false);
    }
  };

  const retry = () => {
    action.mutate(
      { kind: 'retryFailed' },
      {
        onSuccess: () => toast(t('batch.retryStarted')),
        onError: (error) => toast(explain(error), 'bad'),
      },
    );
  };

  const confirm = (kind: 'cancel' | 'delete') => {
    action.mutate(
      { kind },
      {
        onSuccess: () => {
          setAsking(null);
          toast(t(kind === 'cancel' ? 'batch.cancelDone' : 'batch.deleteDone'));
          if (kind === 'delete') void navigate({ pathname: '/batches', search }, { replace: true });
        },
      },
    );
  };
  const failure = action.isError ? explain(action.error) : null;

  return (
    <div className={styles.actions}>
      {retryable > 0 && !batch.files_removed && (
        <Button
          icon={<RotateCw size={16} />}
          onClick={retry}
          busy={action.isPending && asking === null}
        >
          {t('batch.retryFailed', { n: retryable })}
        </Button>
      )}
      {isMoving(progress) && (
        <Button icon={<Ban size={16} />} onClick={() => open('cancel')}>
          {t('batch.cancelAll')}
        </Button>
      )}
      {progress.completed > 0 && !batch.files_removed && (
        <Button
          variant="primary"
          icon={<Download size={16} />}
          onClick={() => void download()}
          busy={zipping}
        >
          {t('batch.downloadAll')}
        </Button>
      )}
      <Menu
        trigger={
          <IconButton label={t('common.more')} variant="secondary" tip={false}>
            <Ellipsis size={18} />
          </IconButton>
        }
      >
        {own && !batch.files_removed && (
          <MenuItem icon={<CopyPlus />} onSelect={() => void navigate(`/new?again=${batch.id}`)}>
            {t('batch.again')}
          </MenuItem>
        )}
        <MenuItem icon={<Pencil />} onSelect={() => open('rename')}>
          {t('batch.rename')}
        </MenuItem>
        {progress.completed > 0 && !batch.files_removed && (
          <MenuItem icon={<Link2 />} onSelect={() => open('share')}>
            {t('batch.share')}
          </MenuItem>
        )}
        <MenuDivider />
        <MenuItem icon={<Trash2 />} danger onSelect={() => open('delete')}>
          {t('batch.delete')}
        </MenuItem>
      </Menu>

      <ConfirmDialog
        open={asking === 'cancel'}
        onOpenChange={(value) => setAsking(value ? 'cancel' : null)}
        title={t('batch.cancelTitle')}
        description={t('batch.cancelText', { n: progress.pending + progress.processing })}
        confirmLabel={t('batch.cancelAll')}
        danger
        busy={action.isPending}
        error={failure}
        onConfirm={() => confirm('cancel')}
      />
      <ConfirmDialog
        open={asking === 'delete'}
        onOpenChange={(value) => setAsking(value ? 'delete' : null)}
        title={t('batch.deleteTitle', { name: batch.name })}
        description={t(isMoving(progress) ? 'batch.deleteTextMoving' : 'batch.deleteText', {
          n: progress.completed,
        })}
        confirmLabel={t('batch.delete')}
        danger
        busy={action.isPending}
        error={failure}
        onConfirm={() => confirm('delete')}
      />
      {asking === 'share' && (
        <Suspense>
          <ShareDialog batch={batch} onClose={() => setAsking(null)} />
        </Suspense>
      )}
      {asking === 'rename' && <RenameDialog batch={batch} onClose={() => setAsking(null)} />}
    </div>
  );
}
