import { useCallback, useEffect, useRef, useState } from 'react';

import { toApiError } from '@/shared/api/errors';

import { DEFAULT_LIMITS } from '../limits';

type State = 'idle' | 'starting' | 'recording' | 'finishing';

export interface Recorder {
  state: State;
  seconds: number;
  /** 0 to 1, for the level meter. */
  level: number;
  problem: 'mic_denied' | 'mic_missing' | 'mic_insecure' | null;
  start: () => void;
  stop: () => void;
  discard: () => void;
}

interface Session {
  media: MediaRecorder;
  stream: MediaStream;
  context: AudioContext;
  timer: number;
  discarded: boolean;
}

function problemOf(error: unknown): Recorder['problem'] {
  const name = error instanceof DOMException ? error.name : toApiError(error).code;
  return name === 'NotAllowedError' || name === 'SecurityError' ? 'mic_denied' : 'mic_missing';
}

/** Records from the microphone and hands over the recording in the browser's own format. */
export function useRecorder(onRecorded: (recording: File) => void, name: () => string): Recorder {
  const [state, setState] = useState<State>('idle');
  const [seconds, setSeconds] = useState(0);
  const [level, setLevel] = useState(0);
  const [problem, setProblem] = useState<Recorder['problem']>(null);
  const session = useRef<Session | null>(null);

  const close = useCallback((discarded: boolean) => {
    const current = session.current;
    if (!current) return;
    current.discarded ||= discarded;
    if (current.media.state !== 'inactive') current.media.stop();
  }, []);

  useEffect(() => () => close(true), [close]);

  const begin = async () => {
    if (!('mediaDevices' in navigator)) {
      setProblem('mic_insecure');
      return;
    }
    setProblem(null);
    setState('starting');
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true },
      });
      const context = new AudioContext();
      const analyser = context.createAnalyser();
      analyser.fftSize = 512;
      context.createMediaStreamSource(stream).connect(analyser);
      const wave = new Float32Array(analyser.fftSize);
      const media = new MediaRecorder(stream, { audioBitsPerSecond: 192_000 });
      const chunks: Blob[] = [];
      const startedAt = performance.now();
      const timer = window.setInterval(() => {
        const elapsed = (performance.now() - startedAt) / 1000;
        setSeconds(elapsed);
        analyser.getFloatTimeDomainData(wave);
        setLevel(Math.min(1, Math.max(...wave.map(Math.abs)) * 1.6));
        if (elapsed >= DEFAULT_LIMITS.audio_max_s) close(false);
      }, 100);
      const current: Session = { media, stream, context, timer, discarded: false };
      session.current = current;
      media.ondataavailable = (event) => chunks.push(event.data);
      media.onstop = () => {
        window.clearInterval(timer);
        for (const track of stream.getTracks()) track.stop();
        void context.close();
        session.current = null;
        setState('idle');
        setLevel(0);
        if (!current.discarded) {
          onRecorded(new File(chunks, `${name()}.weba`, { type: media.mimeType }));
        }
      };
      media.start();
      setSeconds(0);
      setState('recording');
    } catch (error) {
      setState('idle');
      setProblem(problemOf(error));
    }
  };

  return {
    state,
    seconds,
    level,
    problem,
    start: () => void begin(),
    stop: () => {
      setState('finishing');
      close(false);
    },
    discard: () => close(true),
  };
}
