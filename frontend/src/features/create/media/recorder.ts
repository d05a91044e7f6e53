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
  discarded: boolean;
}

/** The browser shows a microphone as in use until every track has stopped. */
function release(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
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
  /** The question to the user that is open; a microphone that another one brings is not wanted any more. */
  const asking = useRef<symbol | null>(null);

  const close = useCallback((discarded: boolean) => {
    if (asking.current) {
      asking.current = null;
      setState('idle');
    }
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
    const question = Symbol();
    asking.current = question;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true },
      });
      // Whoever left the page, or thought better of it, while the browser asked is not listened to.
      if (asking.current === question) record(stream);
      else release(stream);
    } catch (error) {
      if (asking.current !== question) return;
      setState('idle');
      setProblem(problemOf(error));
    } finally {
      if (asking.current === question) asking.current = null;
    }
  };

  const record = (stream: MediaStream) => {
    let context: AudioContext | undefined;
    let timer: number | undefined;
    const letGo = () => {
      window.clearInterval(timer);
      release(stream);
      void context?.close();
      session.current = null;
    };
    try {
      context = new AudioContext();
      const analyser = context.createAnalyser();
      analyser.fftSize = 512;
      context.createMediaStreamSource(stream).connect(analyser);
      const wave = new Float32Array(analyser.fftSize);
      const media = new MediaRecorder(stream, { audioBitsPerSecond: 192_000 });
      const current: Session = { media, discarded: false };
      const chunks: Blob[] = [];
      media.ondataavailable = (event) => chunks.push(event.data);
      media.onstop = () => {
        letGo();
        setState('idle');
        setLevel(0);
        if (!current.discarded) {
          onRecorded(new File(chunks, `${name()}.weba`, { type: media.mimeType }));
        }
      };
      media.start();
      const startedAt = performance.now();
      timer = window.setInterval(() => {
        const elapsed = (performance.now() - startedAt) / 1000;
        setSeconds(elapsed);
        analyser.getFloatTimeDomainData(wave);
        setLevel(Math.min(1, Math.max(...wave.map(Math.abs)) * 1.6));
        if (elapsed >= DEFAULT_LIMITS.audio_max_s) close(false);
      }, 100);
      session.current = current;
      setSeconds(0);
      setState('recording');
    } catch (error) {
      letGo();
      throw error;
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
