/**
 * Credits that one video costs, as the server counts: one for each started `startedS` seconds of the
 * recording, or 1 where that is 0. Without a recording, the least it can be.
 */
export function pricePerVideo(audioS: number, startedS: number): number {
  if (startedS <= 0) return 1;
  // Decoders round: exactly 30 s may come out some samples longer.
  return Math.max(1, Math.ceil(Math.round(audioS * 100) / 100 / startedS));
}
