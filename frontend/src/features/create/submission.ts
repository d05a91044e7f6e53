import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';

import { toApiError, type ApiError } from '@/shared/api/errors';
import type { CreatedBatch, DryRun, FileProblem } from '@/shared/api/types';
import { upload } from '@/shared/api/upload';

import { draftStore, type Draft } from './draft';

export interface Sending {
  kind: 'check' | 'submit';
  sent: number;
  total: number;
}

/** The form as the API reads it; pictures first, in the order shown. */
export function formOf(draft: Draft): FormData {
  const form = new FormData();
  if (draft.prompt.trim()) form.append('prompt', draft.prompt.trim());
  for (const image of draft.images) form.append('images', image.file, image.file.name);
  if (draft.audio) form.append('audio', draft.audio.file, draft.audio.file.name);
  return form;
}

/**
 * How much of each picture has left: the form sends them one after the other, so the bytes sent
 * so far say which are through. 0 to 1 each.
 */
export function shares(draft: Draft, sent: number): number[] {
  let before = 0;
  return draft.images.map(({ file }) => {
    const share = file.size === 0 ? 1 : Math.min(1, Math.max(0, (sent - before) / file.size));
    before += file.size;
    return share;
  });
}

function problemList(value: unknown): FileProblem[] {
  if (!Array.isArray(value)) return [];
  return value.filter(
    (entry): entry is FileProblem =>
      typeof entry === 'object' && entry !== null && 'code' in entry && 'detail' in entry,
  );
}

/** The bad files of a rejected batch. */
export function problemsOf(error: ApiError): { images: FileProblem[]; audio: FileProblem | null } {
  const errors = error.body.errors;
  if (typeof errors !== 'object' || errors === null) return { images: [], audio: null };
  const images = 'images' in errors ? problemList(errors.images) : [];
  const audio = 'audio' in errors ? (problemList([errors.audio])[0] ?? null) : null;
  return { images, audio };
}

function bytesOf(draft: Draft): number {
  return draft.images.reduce((sum, { file }) => sum + file.size, draft.audio?.file.size ?? 0);
}

/**
 * Sends the draft. A broken connection leaves the draft and its key, so trying again is safe even
 * if the server had accepted it: the same key brings back the same batch.
 */
export function useSubmission(onCreated: (batch: CreatedBatch) => void) {
  const client = useQueryClient();
  const abort = useRef<AbortController | null>(null);
  const running = useRef(false);
  const [sending, setSending] = useState<Sending | null>(null);
  const [checked, setChecked] = useState<{ key: string; answer: DryRun } | null>(null);

  const mutation = useMutation({
    mutationFn: async (kind: Sending['kind']) => {
      const draft = draftStore.get();
      const controller = new AbortController();
      abort.current = controller;
      const total = bytesOf(draft);
      setSending({ kind, sent: 0, total });
      const options = {
        signal: controller.signal,
        onProgress: (sent: number) => setSending({ kind, sent: Math.min(sent, total), total }),
      };
      if (kind === 'check') {
        const answer = await upload<DryRun>(
          '/api/video/batch?dry_run=true',
          formOf(draft),
          options,
        );
        setChecked({ key: draft.key, answer });
        return null;
      }
      return upload<CreatedBatch>('/api/video/batch', formOf(draft), {
        ...options,
        headers: { 'Idempotency-Key': draft.key },
      });
    },
    onSuccess: (batch) => {
      if (!batch) return;
      draftStore.clear();
      void client.invalidateQueries({ queryKey: ['profile'] });
      void client.invalidateQueries({ queryKey: ['ledger'] });
      void client.invalidateQueries({ queryKey: ['batches', 'list'] });
      onCreated(batch);
    },
    onError: (error) => {
      const failure = toApiError(error);
      const { images, audio } = problemsOf(failure);
      draftStore.markProblems(images, audio);
      if (failure.code === 'insufficient_credits') {
        void client.invalidateQueries({ queryKey: ['profile'] });
      }
    },
    onSettled: () => {
      running.current = false;
      abort.current = null;
      setSending(null);
    },
  });

  const start = (kind: Sending['kind']) => {
    // A second click arrives before React has disabled the button.
    if (running.current) return;
    running.current = true;
    mutation.mutate(kind);
  };

  const failure = mutation.isError ? toApiError(mutation.error) : null;
  return {
    sending,
    checked,
    failure: failure?.code === 'aborted' ? null : failure,
    submit: () => start('submit'),
    check: () => start('check'),
    cancel: () => abort.current?.abort(),
    dismiss: mutation.reset,
  };
}
