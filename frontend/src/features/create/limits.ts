/** What a batch may hold, by the server's own names. */
export interface Limits {
  max_images: number;
  image_max_bytes: number;
  image_max_pixels: number;
  image_min_side: number;
  audio_max_bytes: number;
  /** Seconds. */
  audio_min_s: number;
  audio_max_s: number;
  prompt_max_chars: number;
  /** Seconds of the recording that cost a credit once they have begun; 0: a video costs 1. */
  credits_per_started_s: number;
}

/** The server's defaults, until it has told its own; it has the last word anyway. */
export const DEFAULT_LIMITS: Limits = {
  max_images: 50,
  image_max_bytes: 20_000_000,
  image_max_pixels: 50_000_000,
  image_min_side: 128,
  audio_max_bytes: 50_000_000,
  audio_min_s: 0.5,
  audio_max_s: 300,
  prompt_max_chars: 2_000,
  credits_per_started_s: 0,
};

export const IMAGE_TYPES: readonly string[] = ['image/jpeg', 'image/png', 'image/webp'];

/** Takes over the limits that the server names; whatever is not a number keeps its default. */
export function readLimits(answer: Readonly<Record<string, unknown>> = {}): Limits {
  const limits = { ...DEFAULT_LIMITS };
  for (const name of Object.keys(limits) as (keyof Limits)[]) {
    const value = answer[name];
    if (typeof value === 'number' && Number.isFinite(value)) limits[name] = value;
  }
  return limits;
}

export function sameLimits(one: Limits, other: Limits): boolean {
  return (Object.keys(one) as (keyof Limits)[]).every((name) => one[name] === other[name]);
}
