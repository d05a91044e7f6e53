import { useQuery } from '@tanstack/react-query';
import { Suspense, useEffect, useState } from 'react';
import { useNavigate } from 'react-router';

import type { DryRun } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { lazyScreen } from '@/shared/lib/load';
import { useProfile } from '@/shared/session/session';
import { Page } from '@/shared/ui/page';
import { useToast } from '@/shared/ui/toast';

import { Again } from './again';
import { AudioCard } from './components/audio-card';
import { EngineCard } from './components/engine-card';
import { ImageTray } from './components/image-tray';
import { NameCard } from './components/name-card';
import { PromptCard } from './components/prompt-card';
import { SummaryCard } from './components/summary-card';
import styles from './create-page.module.css';
import { draftStore, useDraft } from './draft';
import { keepDraft } from './draft-keeper';
import { isAudioFile, isImageFile } from './media/images';
import { chosenOf, DEFAULT_OFFERS, isGone, offersQuery, type Offer } from './offers';
import { pricePerVideo } from './price';
import { useSubmission } from './submission';
import { useCreateTexts, type CreateTexts } from './texts';

const LibraryDialog = lazyScreen(
  async () => (await import('./components/library-dialog')).LibraryDialog,
);

export function CreatePage() {
  const { t } = useI18n();
  const draft = useDraft();
  const navigate = useNavigate();
  const toast = useToast();
  const userId = useProfile().data?.id;
  const submission = useSubmission((batch) => {
    toast(t('create.submitted'));
    void navigate(`/batches/${batch.batch_id}`);
  });
  const locked = submission.sending !== null;
  const [restored, setRestored] = useState(false);
  const [library, setLibrary] = useState<'image' | 'audio' | null>(null);

  const told = useQuery(offersQuery).data;
  const offers = told ?? DEFAULT_OFFERS;
  const choice = offers.engines.length > 1;
  const chosen = chosenOf(offers, draft.engine);
  const { limits } = chosen;
  const text = useCreateTexts();
  // Another choice would be another submission, and this one may have been accepted unheard.
  const gone = told !== undefined && isGone(told, draft.engine);
  useEffect(() => {
    if (!gone) draftStore.setLimits(limits);
  }, [gone, limits]);

  useEffect(() => {
    if (!userId) return;
    draftStore.claim(userId);
    void keepDraft(userId).then(() => setRestored(true));
  }, [userId]);

  // Paste anywhere on the page, except text into the prompt.
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0 || locked) return;
      event.preventDefault();
      takeFiles(files);
    };
    window.addEventListener('paste', onPaste);
    return () => window.removeEventListener('paste', onPaste);
  }, [locked]);

  return (
    <Page title={t('create.title')} description={t('create.text')}>
      <div className={styles.columns}>
        <ImageTray
          draft={draft}
          max={limits.max_images}
          sending={submission.sending}
          locked={locked}
          onFiles={takeFiles}
          onLibrary={() => setLibrary('image')}
        />
        <div className={styles.side}>
          <AudioCard draft={draft} locked={locked} onLibrary={() => setLibrary('audio')} />
          {told && (choice || draft.engine !== '') && (
            <EngineCard
              offers={offers}
              chosen={gone ? null : chosen}
              problem={
                gone
                  ? { code: 'engine_not_offered', detail: text('gone', { engine: draft.engine }) }
                  : submission.refusedEngine
              }
              locked={locked}
            />
          )}
          <PromptCard
            prompt={draft.prompt}
            maxChars={limits.prompt_max_chars}
            unheard={unheardBy(chosen, choice, draft.prompt, submission.passed, text)}
            locked={locked}
          />
          <NameCard name={draft.name} locked={locked} />
          <SummaryCard
            draft={draft}
            estimate={pricePerVideo(draft.audio?.duration ?? 0, limits.credits_per_started_s)}
            untold={told ? untoldBy(gone, chosen) : 'priceUnknown'}
            choice={choice}
            submission={submission}
          />
        </div>
      </div>
      <Again ready={restored && !locked} />
      {library && (
        <Suspense>
          <LibraryDialog
            kind={library}
            room={limits.max_images - draft.images.length}
            onClose={() => setLibrary(null)}
          />
        </Suspense>
      )}
    </Page>
  );
}

/** Why the price is not told; of an engine that is not offered any more nobody knows it. */
function untoldBy(gone: boolean, { priceVaries }: Offer): 'engineGone' | 'priceVaries' | null {
  if (gone) return 'engineGone';
  return priceVaries ? 'priceVaries' : null;
}

/** That the prompt will not be followed: as a check found, or else as the engine says of itself. */
function unheardBy(
  { name, label: engine, followsPrompt }: Offer,
  choice: boolean,
  prompt: string,
  passed: DryRun | null,
  text: CreateTexts,
): string {
  if (!prompt.trim()) return '';
  if (passed) return passed.notices.find(isOfPrompt)?.detail ?? '';
  if (followsPrompt) return '';
  return text(choice && !name ? 'promptUnheardByDefault' : 'promptUnheard', { engine });
}

const isOfPrompt = ({ code }: { code: string }) => code === 'prompt_not_honoured';

/** Pictures go to the tray; a recording among them becomes the batch's audio. */
function takeFiles(files: readonly File[]): void {
  const audio = files.find((file) => isAudioFile(file) && !isImageFile(file));
  if (audio) void draftStore.setAudio(audio);
  const images = files.filter((file) => !isAudioFile(file));
  // Of a single odd file the user is told why; in a whole folder odd files are simply not meant.
  const wanted = images.length > 1 ? images.filter(isImageFile) : images;
  if (wanted.length > 0) draftStore.addImages(wanted);
}
