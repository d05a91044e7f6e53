import { Slot } from 'radix-ui';
import {
  useCallback,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
  type FocusEvent,
  type PointerEvent,
  type ReactElement,
} from 'react';
import { createPortal } from 'react-dom';

import styles from './tip.module.css';

/** How long a pointer rests before the tip shows, and how long it may be under way into the tip. */
const REST_MS = 400;
const LEAVE_MS = 120;
const GAP_PX = 6;
const EDGE_PX = 8;

/**
 * A short text beside what the pointer rests on or the keyboard has reached. Made by hand, because a
 * library's positioning weighs more than everything else that the first page needs for its parts.
 */
export function Tip({ text, children }: { text: string; children: ReactElement }) {
  const id = useId();
  const timer = useRef<number>(undefined);
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);

  const plan = useCallback((what: HTMLElement | null, afterMs: number) => {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setAnchor(what), afterMs);
  }, []);
  const hide = useCallback(() => {
    window.clearTimeout(timer.current);
    setAnchor(null);
  }, []);
  useEffect(() => () => window.clearTimeout(timer.current), []);

  return (
    <>
      <Slot.Root
        aria-describedby={anchor ? id : undefined}
        onPointerEnter={(event: PointerEvent<HTMLElement>) => {
          // A finger rests on nothing: what it touches it means to press.
          if (event.pointerType !== 'touch') plan(event.currentTarget, REST_MS);
        }}
        onPointerLeave={() => plan(null, LEAVE_MS)}
        onPointerDown={hide}
        onClick={hide}
        onFocus={(event: FocusEvent<HTMLElement>) => {
          if (event.currentTarget.matches(':focus-visible')) setAnchor(event.currentTarget);
        }}
        onBlur={hide}
      >
        {children}
      </Slot.Root>
      {anchor?.isConnected && (
        <Bubble
          id={id}
          text={text}
          anchor={anchor}
          onHold={() => window.clearTimeout(timer.current)}
          onLeave={() => plan(null, LEAVE_MS)}
          onHide={hide}
        />
      )}
    </>
  );
}

interface BubbleProps {
  id: string;
  text: string;
  anchor: HTMLElement;
  onHold: () => void;
  onLeave: () => void;
  onHide: () => void;
}

/** Above its anchor where there is room, otherwise below it, and never outside the window. */
function Bubble({ id, text, anchor, onHold, onLeave, onHide }: BubbleProps) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const bubble = ref.current;
    if (!bubble) return;
    const at = anchor.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = bubble;
    const above = at.top - GAP_PX - height;
    const left = at.left + (at.width - width) / 2;
    const farthest = document.documentElement.clientWidth - width - EDGE_PX;
    bubble.style.top = `${above >= EDGE_PX ? above : at.bottom + GAP_PX}px`;
    bubble.style.left = `${Math.max(EDGE_PX, Math.min(left, farthest))}px`;
  }, [anchor, text]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape') onHide();
    };
    window.addEventListener('keydown', onKey, true);
    window.addEventListener('scroll', onHide, true);
    return () => {
      window.removeEventListener('keydown', onKey, true);
      window.removeEventListener('scroll', onHide, true);
    };
  }, [onHide]);
  return createPortal(
    <div
      ref={ref}
      id={id}
      role="tooltip"
      className={styles.tip}
      onPointerEnter={onHold}
      onPointerLeave={onLeave}
    >
      {text}
    </div>,
    document.body,
  );
}
