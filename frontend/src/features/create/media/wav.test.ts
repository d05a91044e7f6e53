import { describe, expect, it } from 'vitest';

import { encodeWav, peaksOf, type Pcm } from './wav';

function pcm(channels: number[][], sampleRate = 16_000): Pcm {
  return {
    sampleRate,
    numberOfChannels: channels.length,
    length: channels[0]?.length ?? 0,
    getChannelData: (channel) => Float32Array.from(channels[channel] ?? []),
  };
}

async function bytesOf(blob: Blob): Promise<DataView> {
  const buffer = await new Promise<ArrayBuffer>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as ArrayBuffer);
    reader.onerror = () => reject(new Error('unreadable'));
    reader.readAsArrayBuffer(blob);
  });
  return new DataView(buffer);
}

function textAt(view: DataView, offset: number, length: number): string {
  return String.fromCharCode(...new Uint8Array(view.buffer, offset, length));
}

describe('encodeWav', () => {
  it('writes a header that agrees with its data', async () => {
    const view = await bytesOf(encodeWav(pcm([[0, 0.5, -0.5, 1]], 48_000)));
    expect(textAt(view, 0, 4)).toBe('RIFF');
    expect(textAt(view, 8, 8)).toBe('WAVEfmt ');
    expect(view.getUint32(4, true)).toBe(view.byteLength - 8);
    expect(view.getUint16(22, true)).toBe(1);
    expect(view.getUint32(24, true)).toBe(48_000);
    expect(view.getUint32(28, true)).toBe(96_000);
    expect(view.getUint32(40, true)).toBe(8);
    expect(view.byteLength).toBe(52);
  });

  it('clips what is too loud instead of wrapping around', async () => {
    const view = await bytesOf(encodeWav(pcm([[2, -2]])));
    expect(view.getInt16(44, true)).toBe(32_767);
    expect(view.getInt16(46, true)).toBe(-32_768);
  });

  it('mixes stereo to one channel', async () => {
    const view = await bytesOf(
      encodeWav(
        pcm([
          [1, 0.5],
          [0, 0.5],
        ]),
      ),
    );
    expect(view.getInt16(44, true)).toBe(Math.round(0.5 * 32_767));
    expect(view.getInt16(46, true)).toBe(Math.round(0.5 * 32_767));
  });
});

describe('peaksOf', () => {
  it('gives one bar per part, the loudest being 1', () => {
    expect(peaksOf(pcm([[0, 0.1, -0.4, 0.2]]), 2)).toEqual([expect.closeTo(0.25), 1]);
  });

  it('survives silence', () => {
    expect(peaksOf(pcm([[0, 0, 0, 0]]), 2)).toEqual([0, 0]);
  });
});
