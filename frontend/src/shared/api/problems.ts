import type { ApiError } from './errors';
import type { FileProblem } from './types';

export function problemList(value: unknown): FileProblem[] {
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

/** Why the only file of a call was refused, whether when it was announced or when it was examined. */
export function onlyProblemOf(error: ApiError): FileProblem | null {
  const { errors } = error.body;
  const announced =
    typeof errors === 'object' && errors !== null && 'files' in errors
      ? problemList(errors.files)
      : [];
  return [...problemsOf(error).images, ...announced][0] ?? null;
}
