import { FileAudio, History, Mic, Square, Trash2, X } from 'lucide-react';
import { useRef } from 'react';

import { clock } from '@/shared/i18n/format';
import { useI18n } from '@/shared/i18n/i18n';
import { Button, IconButton } from '@/shared/ui/button';
import { Notice } from '@/shared/ui/notice';
import { Card } from '@/shared/ui/page';
import { Skeleton } from '@/shared/ui/states';

import { draftStore, type Draft, type DraftAudio } from '../draft';
import { useRecorder, type Recorder } from '../media/recorder';
import { useProblemText } from '../problems';
import styles from './audio-card.module.css';
import { WaveformPlayer } from './waveform-player';

interface Props {
  draft: Draft;
  locked: boolean;
  onLibrary: () => void;
}

export function AudioCard({ draft, locked, onLibrary }: Props) {
  const { t, format } = useI18n();
  const recorder = useRecorder(
    (recording) => void draftStore.setAudio(recording),
    () => `${t('create.recordingName')} ${format.time(new Date()).replace(':', '-')}`,
  );
  return (
    <Card title={t('create.audio')}>
      <div className={styles.body}>
        {recorder.problem && <Notice tone="bad">{t(`create.${recorder.problem}`)}</Notice>}
        {recorder.state !== 'idle' ? (
          <Recording recorder={recorder} />
        ) : draft.audioLoading ? (
          <Skeleton style={{ height: 84 }} />
        ) : draft.audio ? (
          <Chosen audio={draft.audio} locked={locked} />
        ) : (
          <p className={styles.hint}>{t('create.audioHint')}</p>
        )}
        {recorder.state === 'idle' && (
          <Sources
            recorder={recorder}
            locked={locked}
            chosen={draft.audio !== null}
            onLibrary={onLibrary}
          />
        )}
      </div>
    </Card>
  );
}

function Sources({
  recorder,
  locked,
  chosen,
  onLibrary,
}: {
  recorder: Recorder;
  locked: boolean;
  chosen: boolean;
  onLibrary: () => void;
}) {
  const { t } = useI18n();
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className={styles.sources}>
      <Button
        size={chosen ? 'sm' : 'md'}
        icon={<FileAudio size={16} />}
        disabled={locked}
        onClick={() => input.current?.click()}
      >
        {t(chosen ? 'create.audioOther' : 'create.audioPick')}
      </Button>
      <Button
        size={chosen ? 'sm' : 'md'}
        icon={<Mic size={16} />}
        disabled={locked}
        onClick={recorder.start}
      >
        {t(chosen ? 'create.recordAgain' : 'create.record')}
      </Button>
      <Button
        size={chosen ? 'sm' : 'md'}
        icon={<History size={16} />}
        disabled={locked}
        onClick={onLibrary}
      >
        {t('library.open')}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        accept="audio/mpeg,audio/wav,audio/*,.mp3,.wav,.m4a"
        aria-label={t('create.audioPick')}
        data-testid="audio-input"
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = '';
          if (file) void draftStore.setAudio(file);
        }}
      />
    </div>
  );
}

function Chosen({ audio, locked }: { audio: DraftAudio; locked: boolean }) {
  const { t, format } = useI18n();
  const problemText = useProblemText();
  return (
    <>
      <div className={styles.file}>
        <div className={styles.fileText}>
          <span className={styles.name} title={audio.name}>
            {audio.name}
          </span>
          <span className={styles.facts}>
            {[
              audio.duration > 0 && clock(audio.duration),
              audio.file ? format.bytes(audio.file.size) : t('library.stored'),
            ]
              .filter(Boolean)
              .join(' · ')}
          </span>
        </div>
        <IconButton
          label={t('create.audioRemove')}
          size="sm"
          disabled={locked}
          onClick={() => draftStore.removeAudio()}
        >
          <Trash2 size={16} />
        </IconButton>
      </div>
      {audio.problem && <Notice tone="bad">{problemText(audio.problem)}</Notice>}
      {audio.stored && (
        <audio
          className={styles.stored}
          controls
          preload="metadata"
          src={audio.url}
          aria-label={t('create.listen')}
        />
      )}
      {audio.peaks.length > 0 && (
        <WaveformPlayer
          key={audio.url}
          url={audio.url}
          peaks={audio.peaks}
          duration={audio.duration}
        />
      )}
    </>
  );
}

function Recording({ recorder }: { recorder: Recorder }) {
  const { t } = useI18n();
  return (
    <div className={styles.recording}>
      <span className={styles.dot} aria-hidden="true" />
      <span className={styles.clock} role="timer" aria-label={t('create.recording')}>
        {clock(recorder.seconds)}
      </span>
      <span className={styles.level} aria-hidden="true">
        <span style={{ transform: `scaleX(${recorder.level})` }} />
      </span>
      <Button
        size="sm"
        variant="primary"
        icon={<Square size={13} fill="currentColor" />}
        disabled={recorder.state !== 'recording'}
        onClick={recorder.stop}
      >
        {t('create.recordStop')}
      </Button>
      <IconButton label={t('create.recordDiscard')} size="sm" onClick={recorder.discard}>
        <X size={17} />
      </IconButton>
    </div>
  );
}
