import { IMAGE_TYPES, type Limits } from '../limits';
import { imageProblem, type Problem } from '../problems';

export interface ImageFacts {
  width: number;
  height: number;
  problem: Problem | null;
}

const bad = (code: string): ImageFacts => ({ width: 0, height: 0, problem: { code, detail: '' } });

/** What can be told of a picture before it is sent; the server examines it again and more closely. */
export async function inspectImage(file: File, url: string, limits: Limits): Promise<ImageFacts> {
  if (file.size === 0) return bad('image_empty');
  if (file.size > limits.image_max_bytes) return bad('image_too_large');
  if (file.type !== '' && !IMAGE_TYPES.includes(file.type)) return bad('image_type');
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    return bad('image_unreadable');
  }
  const { naturalWidth: width, naturalHeight: height } = image;
  if (width * height > limits.image_max_pixels) {
    return { width, height, problem: { code: 'image_too_many_pixels', detail: '' } };
  }
  return { width, height, problem: imageProblem(width, height, limits) };
}

/** Files of a drop, folders opened; anything but pictures and recordings is left out. */
export async function filesOfDrop(data: DataTransfer): Promise<File[]> {
  const entries = [...data.items]
    .map((item) => item.webkitGetAsEntry?.() ?? null)
    .filter((entry): entry is FileSystemEntry => entry !== null);
  if (entries.length === 0) return [...data.files];
  const found: File[] = [];
  for (const entry of entries) await collect(entry, found);
  return found;
}

async function collect(entry: FileSystemEntry, found: File[]): Promise<void> {
  if (entry.isFile) {
    found.push(
      await new Promise<File>((resolve, reject) =>
        (entry as FileSystemFileEntry).file(resolve, reject),
      ),
    );
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader hands out a folder in portions and ends with an empty one.
  for (;;) {
    const portion = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (portion.length === 0) return;
    for (const child of portion) await collect(child, found);
  }
}

export const isAudioFile = (file: File) =>
  file.type.startsWith('audio/') || /\.(mp3|wav|m4a|aac|ogg|opus|flac|weba)$/i.test(file.name);

/** A folder holds other things than pictures; picked files are kept even if odd, to say why they fail. */
export const isImageFile = (file: File) =>
  file.type.startsWith('image/') || /\.(jpe?g|png|webp)$/i.test(file.name);
