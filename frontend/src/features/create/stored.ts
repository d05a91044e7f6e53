/** What earlier batches keep, to be used again: named to the server instead of sent once more. */
import { queryOptions } from '@tanstack/react-query';

import { request } from '@/shared/api/client';
import { toApiError } from '@/shared/api/errors';
import type { Batch, LibraryFile, LibraryPage } from '@/shared/api/types';

import { draftStore, type Stored } from './draft';

const THUMBNAILS_AT_ONCE = 6;

export function libraryQuery(kind: 'image' | 'audio', search: string) {
  return queryOptions({
    queryKey: ['library', kind, search],
    queryFn: ({ signal }) =>
      request<LibraryPage>('/api/video/library', { query: { kind, search }, signal }),
    staleTime: 30_000,
  });
}

async function download(url: string, name: string): Promise<File> {
  try {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(String(answer.status));
    const blob = await answer.blob();
    return new File([blob], name, { type: blob.type });
  } catch (error) {
    throw toApiError(error);
  }
}

type Picture = Pick<LibraryFile, 'ref' | 'name' | 'thumbnail_url' | 'width' | 'height'>;

/** Adds stored pictures to the draft, in order; what is shown of each is its thumbnail. */
export async function addStoredPictures(pictures: readonly Picture[]): Promise<void> {
  const found: { file: File; stored: Stored }[] = [];
  for (let start = 0; start < pictures.length; start += THUMBNAILS_AT_ONCE) {
    const some = pictures.slice(start, start + THUMBNAILS_AT_ONCE).map(async (picture) => ({
      file: await download(picture.thumbnail_url, picture.name),
      stored: { ref: picture.ref, width: picture.width ?? 0, height: picture.height ?? 0 },
    }));
    found.push(...(await Promise.all(some)));
  }
  draftStore.addStored(found);
}

/** Makes a stored recording that of the draft; it is fetched to be heard, not to be sent. */
export async function setStoredRecording(
  recording: Pick<LibraryFile, 'ref' | 'name' | 'url'>,
): Promise<void> {
  const file = await download(recording.url, recording.name);
  await draftStore.setAudio(file, { ref: recording.ref });
}

/** A draft of what a batch was made of; each part may be replaced before it is sent. */
export async function draftAgain(batchId: string): Promise<void> {
  const batch = await request<Batch>(`/api/video/batches/${batchId}`);
  draftStore.clear();
  draftStore.setPrompt(batch.prompt);
  await addStoredPictures(
    batch.items.map((item) => ({
      ref: `item:${item.id}`,
      name: item.original_name,
      thumbnail_url: item.thumbnail_url,
      width: item.width,
      height: item.height,
    })),
  );
  await setStoredRecording({
    ref: `batch:${batch.id}`,
    name: batch.audioName,
    url: batch.audio_url,
  });
}
