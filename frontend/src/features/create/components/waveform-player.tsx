import { Pause, Play } from 'lucide-react';
import { Slider } from 'radix-ui';
import { useEffect, useRef, useState } from 'react';

import { clock } from '@/shared/i18n/format';
import { useI18n } from '@/shared/i18n/i18n';

import styles from './waveform-player.module.css';

interface Props {
  url: string;
  /** 0 to 1 each. */
  peaks: readonly number[];
  /** Seconds. */
  duration: number;
}

/** Plays a recording; its waveform is a slider to seek with. */
export function WaveformPlayer({ url, peaks, duration }: Props) {
  const { t } = useI18n();
  const audio = useRef<HTMLAudioElement>(null);
  const [playing, setPlaying] = useState(false);
  const [position, setPosition] = useState(0);

  useEffect(() => {
    if (!playing) return;
    let frame = 0;
    const follow = () => {
      setPosition(audio.current?.currentTime ?? 0);
      frame = requestAnimationFrame(follow);
    };
    frame = requestAnimationFrame(follow);
    return () => cancelAnimationFrame(frame);
  }, [playing]);

  const toggle = () => {
    const element = audio.current;
    if (!element) return;
    if (element.paused) void element.play();
    else element.pause();
  };
  const seek = (seconds: number) => {
    setPosition(seconds);
    if (audio.current) audio.current.currentTime = seconds;
  };
  const share = duration > 0 ? position / duration : 0;

  return (
    <div className={styles.player}>
      <button
        type="button"
        className={styles.button}
        aria-label={playing ? t('create.pause') : t('create.listen')}
        onClick={toggle}
      >
        {playing ? <Pause size={17} fill="currentColor" /> : <Play size={17} fill="currentColor" />}
      </button>
      <Slider.Root
        className={styles.wave}
        value={[position]}
        max={Math.max(0.1, duration)}
        step={0.1}
        onValueChange={([seconds = 0]) => seek(seconds)}
      >
        <Slider.Track className={styles.bars}>
          {peaks.map((peak, index) => (
            <span
              key={index}
              data-played={index / peaks.length < share || undefined}
              style={{ height: `${Math.max(6, peak * 100)}%` }}
            />
          ))}
        </Slider.Track>
        <Slider.Thumb
          className={styles.thumb}
          aria-label={t('create.seek')}
          aria-valuetext={clock(position)}
        />
      </Slider.Root>
      <span className={styles.clock}>{clock(playing || position > 0 ? position : duration)}</span>
      <audio
        ref={audio}
        src={url}
        preload="auto"
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onEnded={() => seek(0)}
      />
    </div>
  );
}
