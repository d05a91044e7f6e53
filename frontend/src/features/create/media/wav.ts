/** What of an AudioBuffer is needed here, so that tests need no audio hardware. */
export interface Pcm {
  sampleRate: number;
  numberOfChannels: number;
  length: number;
  getChannelData(channel: number): Float32Array;
}

const HEADER_BYTES = 44;

/** Mixes all channels to one: speech needs no more, and it halves the upload. */
export function toMono(pcm: Pcm): Float32Array {
  if (pcm.numberOfChannels === 1) return pcm.getChannelData(0);
  const mono = new Float32Array(pcm.length);
  for (let channel = 0; channel < pcm.numberOfChannels; channel++) {
    const samples = pcm.getChannelData(channel);
    for (let i = 0; i < mono.length; i++) {
      mono[i] = (mono[i] ?? 0) + (samples[i] ?? 0) / pcm.numberOfChannels;
    }
  }
  return mono;
}

/** RIFF/WAVE, 16-bit PCM, one channel, at the recording's own rate. */
export function encodeWav(pcm: Pcm): Blob {
  const samples = toMono(pcm);
  const dataBytes = samples.length * 2;
  const view = new DataView(new ArrayBuffer(HEADER_BYTES + dataBytes));
  const text = (offset: number, value: string) => {
    for (let i = 0; i < value.length; i++) view.setUint8(offset + i, value.charCodeAt(i));
  };
  text(0, 'RIFF');
  view.setUint32(4, HEADER_BYTES - 8 + dataBytes, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, pcm.sampleRate, true);
  view.setUint32(28, pcm.sampleRate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, dataBytes, true);
  for (let i = 0; i < samples.length; i++) {
    const value = Math.max(-1, Math.min(1, samples[i] ?? 0));
    view.setInt16(
      HEADER_BYTES + i * 2,
      Math.round(value < 0 ? value * 0x8000 : value * 0x7fff),
      true,
    );
  }
  return new Blob([view.buffer], { type: 'audio/wav' });
}

/** The loudest sample of each of `bars` equal parts, the loudest of all scaled to 1. */
export function peaksOf(pcm: Pcm, bars: number): number[] {
  const samples = toMono(pcm);
  const size = Math.max(1, Math.floor(samples.length / bars));
  const peaks = Array.from({ length: bars }, (_, bar) => {
    let peak = 0;
    const end = Math.min(samples.length, (bar + 1) * size);
    for (let i = bar * size; i < end; i++) peak = Math.max(peak, Math.abs(samples[i] ?? 0));
    return peak;
  });
  const loudest = Math.max(...peaks, 1e-6);
  return peaks.map((peak) => peak / loudest);
}
