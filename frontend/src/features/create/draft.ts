/**
 * The batch being prepared. It lives outside the components, so that looking at another screen or
 * signing in again after the session expired does not lose 50 chosen pictures.
 */
import { useSyncExternalStore } from 'react';

import type { FileProblem } from '@/shared/api/types';

import { DEFAULT_LIMITS, type Limits } from './limits';
import { prepareAudio, type AudioFacts } from './media/audio';
import { inspectImage, type Problem } from './media/images';

/** A file that an earlier batch keeps: named instead of sent. */
export interface Stored {
  ref: string;
  width: number;
  height: number;
}

export interface DraftImage {
  id: string;
  file: File;
  /** Under which the file is kept in the browser's database. */
  fileKey: string;
  /** Object URL of the preview. */
  url: string;
  width: number;
  height: number;
  problem: Problem | null;
  /** Where the picture is kept already; `file` is then its thumbnail. */
  stored: Stored | null;
}

export interface DraftAudio extends AudioFacts {
  url: string;
  fileKey: string;
  /** Under which an earlier batch keeps it already. */
  ref: string | null;
}

export interface Draft {
  images: readonly DraftImage[];
  audio: DraftAudio | null;
  /** A recording is being decoded. */
  audioLoading: boolean;
  prompt: string;
  /** Empty: the server names the batch by its day. */
  name: string;
  /** How many files did not fit under the limit in the last addition. */
  leftOut: number;
  /** Same content, same key: a submission that is sent again cannot be charged twice. */
  key: string;
}

let counter = 0;

function newKey(): string {
  // randomUUID exists only on secure origins; the application may be served in a plain network.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function emptyDraft(): Draft {
  return {
    images: [],
    audio: null,
    audioLoading: false,
    prompt: '',
    name: '',
    leftOut: 0,
    key: newKey(),
  };
}

/** What a draft is made of again. */
export interface RestoredDraft {
  images: readonly { key: string; file: File; stored: Stored | null }[];
  audio: { key: string; file: File; ref: string | null } | null;
  prompt: string;
  name: string;
  /** The key of a submission that may be under way; null begins a new one. */
  key: string | null;
}

class DraftStore {
  private draft = emptyDraft();
  private readonly listeners = new Set<() => void>();
  private audioTurn = 0;
  private owner: string | null = null;
  private limits = DEFAULT_LIMITS;

  readonly get = (): Draft => this.draft;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private set(change: Partial<Draft>): void {
    this.draft = { ...this.draft, ...change };
    for (const listener of this.listeners) listener();
  }

  /** Changes what would be sent, and so begins a new submission. */
  private edit(change: Partial<Draft>): void {
    this.set({ ...change, key: newKey() });
  }

  isEmpty(): boolean {
    const { images, audio, audioLoading, prompt, name } = this.draft;
    return images.length === 0 && audio === null && !audioLoading && prompt === '' && name === '';
  }

  /** Puts back what an earlier page had; its key too, so that a submission under way is not made twice. */
  async restore({ images, audio, prompt, name, key }: RestoredDraft): Promise<void> {
    const restored = images.map((image) => ({
      ...this.wrap(image.file, image.stored),
      fileKey: image.key,
    }));
    this.set({ images: restored, prompt, name, key: key ?? newKey() });
    for (const image of restored) void this.inspect(image);
    if (audio)
      await this.setAudio(audio.file, {
        fileKey: audio.key,
        submissionKey: key ?? newKey(),
        ref: audio.ref,
      });
  }

  /** Somebody else's draft is nobody's business. */
  claim(userId: string): void {
    if (this.owner !== null && this.owner !== userId) this.clear();
    this.owner = userId;
  }

  setLimits(limits: Limits): void {
    this.limits = limits;
  }

  addImages(files: readonly File[]): void {
    this.add(files.map((file) => this.wrap(file)));
  }

  /** Pictures that earlier batches keep, each with its thumbnail. */
  addStored(images: readonly { file: File; stored: Stored }[]): void {
    this.add(images.map(({ file, stored }) => this.wrap(file, stored)));
  }

  private add(images: readonly DraftImage[]): void {
    const room = Math.max(0, this.limits.max_images - this.draft.images.length);
    const added = images.slice(0, room);
    for (const image of images.slice(room)) URL.revokeObjectURL(image.url);
    this.edit({
      images: [...this.draft.images, ...added],
      leftOut: images.length - added.length,
    });
    for (const image of added) void this.inspect(image);
  }

  replaceImage(id: string, file: File): void {
    const next = { ...this.wrap(file), id };
    this.edit({
      images: this.draft.images.map((image) => {
        if (image.id !== id) return image;
        URL.revokeObjectURL(image.url);
        return next;
      }),
    });
    void this.inspect(next);
  }

  removeImage(id: string): void {
    for (const image of this.draft.images) if (image.id === id) URL.revokeObjectURL(image.url);
    this.edit({ images: this.draft.images.filter((image) => image.id !== id), leftOut: 0 });
  }

  removeBadImages(): void {
    for (const image of this.draft.images) if (image.problem) URL.revokeObjectURL(image.url);
    this.edit({ images: this.draft.images.filter((image) => !image.problem) });
  }

  clearImages(): void {
    for (const image of this.draft.images) URL.revokeObjectURL(image.url);
    this.edit({ images: [], leftOut: 0 });
  }

  moveImage(id: string, to: number): void {
    const images = [...this.draft.images];
    const from = images.findIndex((image) => image.id === id);
    const [moved] = images.splice(from, 1);
    if (!moved || to < 0 || to > images.length) return;
    images.splice(to, 0, moved);
    this.edit({ images });
  }

  async setAudio(
    file: File,
    {
      fileKey = newKey(),
      submissionKey,
      ref = null,
    }: { fileKey?: string; submissionKey?: string; ref?: string | null } = {},
  ): Promise<void> {
    const turn = ++this.audioTurn;
    this.dropAudio();
    this.set({ audioLoading: true });
    const facts = await prepareAudio(file, this.limits);
    // Another recording was chosen while this one was being decoded.
    if (turn !== this.audioTurn) return;
    const url = URL.createObjectURL(facts.file);
    this.edit({ audio: { ...facts, url, fileKey, ref }, audioLoading: false });
    if (submissionKey !== undefined) this.set({ key: submissionKey });
  }

  removeAudio(): void {
    this.audioTurn++;
    this.dropAudio();
    this.set({ audioLoading: false });
  }

  setPrompt(prompt: string): void {
    this.edit({ prompt });
  }

  setName(name: string): void {
    this.edit({ name });
  }

  /** Puts the server's complaints where the files are. */
  markProblems(images: readonly FileProblem[], audio: FileProblem | null): void {
    const byIndex = new Map(images.map((problem) => [problem.index, problem]));
    this.set({
      images: this.draft.images.map((image, index) => {
        const problem = byIndex.get(index);
        return problem
          ? { ...image, problem: { code: problem.code, detail: problem.detail } }
          : image;
      }),
      audio:
        audio && this.draft.audio
          ? { ...this.draft.audio, problem: { code: audio.code, detail: audio.detail } }
          : this.draft.audio,
    });
  }

  clear(): void {
    for (const image of this.draft.images) URL.revokeObjectURL(image.url);
    if (this.draft.audio) URL.revokeObjectURL(this.draft.audio.url);
    this.audioTurn++;
    this.draft = emptyDraft();
    this.set({});
  }

  private dropAudio(): void {
    if (this.draft.audio) URL.revokeObjectURL(this.draft.audio.url);
    this.edit({ audio: null });
  }

  private wrap(file: File, stored: Stored | null = null): DraftImage {
    counter += 1;
    return {
      id: `image-${counter}`,
      file,
      fileKey: newKey(),
      url: URL.createObjectURL(file),
      width: stored?.width ?? 0,
      height: stored?.height ?? 0,
      problem: null,
      stored,
    };
  }

  private async inspect(image: DraftImage): Promise<void> {
    if (image.stored) return; // was examined when it was stored
    const facts = await inspectImage(image.file, image.url, this.limits);
    this.set({
      images: this.draft.images.map((other) =>
        other.url === image.url ? { ...other, ...facts } : other,
      ),
    });
  }
}

export const draftStore = new DraftStore();

export function useDraft(): Draft {
  return useSyncExternalStore(draftStore.subscribe, draftStore.get);
}
