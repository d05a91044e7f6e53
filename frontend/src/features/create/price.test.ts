import { describe, expect, it } from 'vitest';

import { pricePerVideo } from './price';

describe('the price of a video', () => {
  it.each([
    [299, 0, 1],
    [0, 30, 1],
    [29.99, 30, 1],
    [30.00002, 30, 1],
    [30.01, 30, 2],
    [61, 30, 3],
  ])('of %d s in stretches of %d s is %d', (audioS, startedS, price) => {
    expect(pricePerVideo(audioS, startedS)).toBe(price);
  });
});
