/** What is wrong with a file of the draft, and whether that still holds when something else is chosen. */
import { useI18n } from '@/shared/i18n/i18n';

import type { Limits } from './limits';
import { exactLength, useCreateTexts } from './texts';

export interface Problem {
  code: string;
  detail: string;
  /** The limit that it was held against here; what the server found has none. */
  limit?: number;
}

const OF_A_LIMIT = ['image_too_small', 'audio_too_short', 'audio_too_long'] as const;

export function imageProblem(width: number, height: number, limits: Limits): Problem | null {
  const limit = limits.image_min_side;
  return Math.min(width, height) < limit ? { code: 'image_too_small', detail: '', limit } : null;
}

/** A second half is forgiven: the server measures what it decodes itself. */
export function audioProblem(duration: number, limits: Limits): Problem | null {
  const { audio_min_s: least, audio_max_s: most } = limits;
  if (duration < least) return { code: 'audio_too_short', detail: '', limit: least };
  if (duration > most + 0.5) return { code: 'audio_too_long', detail: '', limit: most };
  return null;
}

/** What was found before, unless only a limit was in the way: that is held against the limits of now. */
export function heldAgain(problem: Problem | null, now: () => Problem | null): Problem | null {
  return problem === null || problem.limit !== undefined ? now() : problem;
}

/** Without what the server said for the engine chosen before. Another one may take the same file. */
export function withoutEngine(problem: Problem | null): Problem | null {
  if (problem === null || problem.limit !== undefined) return problem;
  const { code } = problem;
  const ofTheFile =
    /^(image|audio|stored|upload)_/.test(code) &&
    !code.endsWith('_engine') &&
    !OF_A_LIMIT.some((limited) => limited === code);
  return ofTheFile ? problem : null;
}

/** A problem for people: with the limit where one was in the way. */
export function useProblemText(): (problem: Problem) => string {
  const { reason } = useI18n();
  const text = useCreateTexts();
  return ({ code, detail, limit }) => {
    const limited = OF_A_LIMIT.find((known) => known === code);
    if (limit === undefined || limited === undefined) return reason(code, detail);
    return text(limited, { limit, time: exactLength(limit, text) });
  };
}
