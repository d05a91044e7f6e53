import type { Limits } from '../limits';
import { audioProblem, type Problem } from '../problems';
import { encodeWav, peaksOf } from './wav';

export const WAVEFORM_BARS = 96;

export interface AudioFacts {
  /** What will be sent: the file itself, or its conversion to WAV. */
  file: File;
  /** Seconds; 0 when unknown. */
  duration: number;
  peaks: number[];
  problem: Problem | null;
}

const SENT_AS_IT_IS = /\.(mp3|wav)$/i;

async function decode(file: Blob): Promise<AudioBuffer> {
  const context = new AudioContext();
  try {
    return await context.decodeAudioData(await file.arrayBuffer());
  } finally {
    void context.close();
  }
}

/** Measures a recording, draws its waveform, and converts formats that the server does not take. */
export async function prepareAudio(file: File, limits: Limits): Promise<AudioFacts> {
  const failed = (code: string): AudioFacts => ({
    file,
    duration: 0,
    peaks: [],
    problem: { code, detail: '' },
  });
  if (file.size === 0) return failed('audio_empty');
  if (file.size > limits.audio_max_bytes) return failed('audio_too_large');
  let buffer: AudioBuffer;
  try {
    buffer = await decode(file);
  } catch {
    return failed('audio_unreadable');
  }
  const { duration } = buffer;
  const sent = SENT_AS_IT_IS.test(file.name)
    ? file
    : new File([encodeWav(buffer)], file.name.replace(/\.[^.]*$/, '') + '.wav', {
        type: 'audio/wav',
      });
  const peaks = peaksOf(buffer, WAVEFORM_BARS);
  return { file: sent, duration, peaks, problem: audioProblem(duration, limits) };
}
