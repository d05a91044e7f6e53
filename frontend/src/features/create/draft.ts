/**
 * The batch being prepared. It lives outside the components, so that looking at another screen or
 * signing in again after the session expired does not lose 50 chosen pictures.
 */
import { useSyncExternalStore } from 'react';

import type { FileProblem } from '@/shared/api/types';

import { DEFAULT_LIMITS, sameLimits, type Limits } from './limits';
import { prepareAudio, type AudioFacts } from './media/audio';
import { inspectImage } from './media/images';
import { audioProblem, heldAgain, imageProblem, withoutEngine, type Problem } from './problems';
import type { StoredBatch, StoredFile } from './stored';

export interface DraftImage {
  id: string;
  name: string;
  /** Null: the server has it from an earlier batch. */
  file: File | null;
  stored: StoredFile | null;
  /** Under which the file is kept in the browser's database. */
  fileKey: string;
  /** Of the preview: an object URL, or the server's. */
  url: string;
  width: number;
  height: number;
  problem: Problem | null;
}

export interface DraftAudio extends Omit<AudioFacts, 'file'> {
  name: string;
  /** As of an image. */
  file: File | null;
  stored: StoredFile | null;
  url: string;
  fileKey: string;
}

/** A submission that left, and of which no answer was heard: it may have been carried out. */
export interface Unheard {
  /** The draft's, when it left. */
  key: string;
  /** What its files were called: by other names it would be another request. Null: a form with the files in it. */
  names: readonly string[] | null;
}

export interface Draft {
  images: readonly DraftImage[];
  audio: DraftAudio | null;
  /** A recording is being decoded. */
  audioLoading: boolean;
  prompt: string;
  /** Empty: the server names the batch by its day. */
  name: string;
  /** Empty: the rules of the installation decide. */
  engine: string;
  /** How many files did not fit under the limit in the last addition. */
  leftOut: number;
  /** Same content, same key: a submission that is sent again cannot be charged twice. */
  key: string;
  /** The last of them; see `unheardOf`. */
  unheard: Unheard | null;
}

/** The submission of just this content, where no answer to it was heard. */
export function unheardOf({ key, unheard }: Draft): Unheard | null {
  return unheard?.key === key ? unheard : null;
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
    engine: '',
    leftOut: 0,
    key: newKey(),
    unheard: null,
  };
}

/** A file of the browser's database, or one that the server has. */
export type Kept = { key: string; file: File } | { stored: StoredFile };

/** What a draft is made of again. */
export interface RestoredDraft {
  images: readonly Kept[];
  audio: Kept | null;
  prompt: string;
  name: string;
  engine: string;
  /** The key of a submission that may be under way; null begins a new one. */
  key: string | null;
  unheard?: Unheard | null;
}

function forget({ file, url }: { file: File | null; url: string }): void {
  if (file) URL.revokeObjectURL(url);
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
    const { images, audio, audioLoading, prompt, name, engine } = this.draft;
    const words = prompt + name + engine;
    return images.length === 0 && audio === null && !audioLoading && words === '';
  }

  /** Puts back what an earlier page had; its key too, so that a submission under way is not made twice. */
  async restore(kept: RestoredDraft): Promise<void> {
    const { images, audio, prompt, name, engine, key, unheard = null } = kept;
    const restored = images.map((image) =>
      'stored' in image
        ? this.wrapStored(image.stored)
        : { ...this.wrap(image.file), fileKey: image.key },
    );
    const submission = key ?? newKey();
    this.set({ images: restored, prompt, name, engine, key: submission, unheard });
    for (const image of restored) void this.inspect(image);
    if (audio && 'stored' in audio) {
      this.setStoredAudio(audio.stored);
      this.set({ key: submission });
    } else if (audio) await this.setAudio(audio.file, audio.key, submission);
  }

  /** What an earlier batch was made of, in place of whatever was there. */
  fill({ images, audio, prompt }: StoredBatch): void {
    this.clear();
    this.addStoredImages(images);
    this.setStoredAudio(audio);
    this.setPrompt(prompt);
  }

  /** Somebody else's draft is nobody's business. */
  claim(userId: string): void {
    if (this.owner !== null && this.owner !== userId) this.clear();
    this.owner = userId;
  }

  /** What is known of the files is held against them anew. */
  setLimits(limits: Limits): void {
    if (sameLimits(limits, this.limits)) return;
    this.limits = limits;
    const { images, audio } = this.draft;
    this.set({
      images: images.map((image) => this.judgedImage(image)),
      audio: audio && this.judgedAudio(audio),
    });
  }

  addImages(files: readonly File[]): void {
    this.add(files.map((file) => this.wrap(file)));
  }

  /** Portraits of earlier batches; they are examined when the batch is sent, as they were before. */
  addStoredImages(files: readonly StoredFile[]): void {
    this.add(files.map((stored) => this.wrapStored(stored)));
  }

  private add(images: readonly DraftImage[]): void {
    const room = Math.max(0, this.limits.max_images - this.draft.images.length);
    const added = images.slice(0, room);
    for (const image of images.slice(room)) forget(image);
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
        forget(image);
        return next;
      }),
    });
    void this.inspect(next);
  }

  removeImage(id: string): void {
    for (const image of this.draft.images) if (image.id === id) forget(image);
    this.edit({ images: this.draft.images.filter((image) => image.id !== id), leftOut: 0 });
  }

  removeBadImages(): void {
    for (const image of this.draft.images) if (image.problem) forget(image);
    this.edit({ images: this.draft.images.filter((image) => !image.problem) });
  }

  clearImages(): void {
    for (const image of this.draft.images) forget(image);
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

  async setAudio(file: File, fileKey = newKey(), submissionKey?: string): Promise<void> {
    const turn = ++this.audioTurn;
    this.dropAudio();
    this.set({
      audioLoading: true,
      ...(submissionKey === undefined ? {} : { key: submissionKey }),
    });
    const facts = await prepareAudio(file, this.limits);
    // Another recording was chosen while this one was being decoded.
    if (turn !== this.audioTurn) return;
    const url = URL.createObjectURL(facts.file);
    const audio = { ...facts, name: facts.file.name, stored: null, url, fileKey };
    // Unless something was changed meanwhile: then it is another submission.
    const key = this.draft.key === submissionKey ? submissionKey : newKey();
    this.set({ audio: this.judgedAudio(audio), audioLoading: false, key });
  }

  setStoredAudio(stored: StoredFile): void {
    this.audioTurn++;
    this.dropAudio();
    const { name, url, duration } = stored;
    const audio = {
      name,
      file: null,
      stored,
      url,
      fileKey: '',
      duration,
      peaks: [],
      problem: null,
    };
    this.edit({ audio: this.judgedAudio(audio), audioLoading: false });
  }

  /** Addresses that work now, by reference; what would be sent stays the same. */
  refreshStored(fresh: ReadonlyMap<string, StoredFile>): void {
    const renew = <T extends DraftImage | DraftAudio>(entry: T): T => {
      const stored = entry.stored && fresh.get(entry.stored.ref);
      return stored ? { ...entry, stored, url: stored.url } : entry;
    };
    const { images, audio } = this.draft;
    this.set({ images: images.map(renew), audio: audio && renew(audio) });
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

  /** What the server found with another engine may be otherwise with this one. */
  setEngine(engine: string): void {
    const { images, audio } = this.draft;
    const forgiven = <T extends DraftImage | DraftAudio>(entry: T): T => ({
      ...entry,
      problem: withoutEngine(entry.problem),
    });
    this.edit({ engine, images: images.map(forgiven), audio: audio && forgiven(audio) });
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

  /** What is known of the submission with this key, as long as it is that of the draft. */
  setUnheard(key: string, unheard: Unheard | null): void {
    if (this.draft.key === key) this.set({ unheard });
  }

  clear(): void {
    for (const image of this.draft.images) forget(image);
    if (this.draft.audio) forget(this.draft.audio);
    this.audioTurn++;
    this.draft = emptyDraft();
    this.set({});
  }

  private dropAudio(): void {
    if (this.draft.audio) forget(this.draft.audio);
    this.edit({ audio: null });
  }

  private wrap(file: File): DraftImage {
    counter += 1;
    return {
      id: `image-${counter}`,
      name: file.name,
      file,
      stored: null,
      fileKey: newKey(),
      url: URL.createObjectURL(file),
      width: 0,
      height: 0,
      problem: null,
    };
  }

  private wrapStored(stored: StoredFile): DraftImage {
    counter += 1;
    const { name, url, width, height } = stored;
    const id = `image-${counter}`;
    const image = { id, name, file: null, stored, fileKey: '', url, width, height, problem: null };
    return this.judgedImage(image);
  }

  /** While limits change, a file may be measured against those of before; 0: not measured. */
  private judgedImage(image: DraftImage): DraftImage {
    const { width, height } = image;
    if (width === 0) return image;
    const now = () => imageProblem(width, height, this.limits);
    return { ...image, problem: heldAgain(image.problem, now) };
  }

  private judgedAudio(audio: DraftAudio): DraftAudio {
    if (audio.duration === 0) return audio;
    const now = () => audioProblem(audio.duration, this.limits);
    return { ...audio, problem: heldAgain(audio.problem, now) };
  }

  private async inspect(image: DraftImage): Promise<void> {
    if (image.file === null) return;
    const facts = await inspectImage(image.file, image.url, this.limits);
    this.set({
      images: this.draft.images.map((other) =>
        other.url === image.url ? this.judgedImage({ ...other, ...facts }) : other,
      ),
    });
  }
}

export const draftStore = new DraftStore();

export function useDraft(): Draft {
  return useSyncExternalStore(draftStore.subscribe, draftStore.get);
}
