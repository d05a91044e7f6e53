import { vi } from 'vitest';

/** Whatever is decoded is three seconds of silence, once `read` has come to pass. jsdom decodes nothing. */
export function stubAudio(read: Promise<void> = Promise.resolve()): void {
  File.prototype.arrayBuffer = () => Promise.resolve(new ArrayBuffer(8));
  vi.stubGlobal(
    'AudioContext',
    class {
      decodeAudioData = () =>
        read.then(() => ({
          duration: 3,
          sampleRate: 16_000,
          numberOfChannels: 1,
          length: 4,
          getChannelData: () => new Float32Array(4),
        }));
      close = () => Promise.resolve();
    },
  );
}
