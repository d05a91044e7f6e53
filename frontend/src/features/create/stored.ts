/** Files that the server has from earlier batches, as a draft names them. */
import { request } from '@/shared/api/client';
import { toApiError } from '@/shared/api/errors';
import type { Batch, LibraryFile } from '@/shared/api/types';

export interface StoredFile {
  /** Stands in the place of an upload's key. */
  ref: string;
  batchId: string;
  name: string;
  /** Signed, for a while: the thumbnail of a portrait, a recording itself. */
  url: string;
  width: number;
  height: number;
  /** Seconds; 0 of a portrait. */
  duration: number;
}

export function storedOfLibrary(file: LibraryFile): StoredFile {
  return {
    ref: file.ref,
    batchId: file.batch_id,
    name: file.name,
    url: file.kind === 'image' ? file.thumbnail_url : file.url,
    width: file.width ?? 0,
    height: file.height ?? 0,
    duration: file.duration ?? 0,
  };
}

export interface StoredBatch {
  images: StoredFile[];
  audio: StoredFile;
  prompt: string;
}

/** What a batch was made of; null when it, or what it kept, is gone. */
export async function fetchStored(batchId: string): Promise<StoredBatch | null> {
  let batch: Batch;
  try {
    batch = await request<Batch>(`/api/video/batches/${encodeURIComponent(batchId)}`);
  } catch (error) {
    if (toApiError(error).status === 404) return null;
    throw error;
  }
  if (batch.files_removed) return null;
  return {
    prompt: batch.prompt,
    images: batch.items.map((item) => ({
      ref: `item:${item.id}`,
      batchId: batch.id,
      name: item.original_name,
      url: item.thumbnail_url,
      width: item.width,
      height: item.height,
      duration: 0,
    })),
    audio: {
      ref: `batch:${batch.id}`,
      batchId: batch.id,
      name: batch.audioName,
      url: batch.audio_url,
      width: 0,
      height: 0,
      duration: batch.audio_duration,
    },
  };
}

/**
 * The files of the same batches by reference, with addresses that work now. What is gone, or cannot be asked
 * for, is left out: the server says which are gone when the batch is sent.
 */
export async function refreshed(files: readonly StoredFile[]): Promise<Map<string, StoredFile>> {
  const batches = [...new Set(files.map(({ batchId }) => batchId))];
  const found = await Promise.all(batches.map((id) => fetchStored(id).catch(() => null)));
  const fresh = found.flatMap((batch) => (batch ? [...batch.images, batch.audio] : []));
  return new Map(fresh.map((file) => [file.ref, file]));
}
