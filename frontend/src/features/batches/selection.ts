import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import type { Item } from '@/shared/api/types';

export interface Selection {
  /** Videos are being chosen: cards are ticked instead of played. */
  active: boolean;
  ids: ReadonlySet<string>;
  begin: () => void;
  end: () => void;
  all: () => void;
  /** With `range`, everything from the one ticked last to this one. */
  toggle: (id: string, range: boolean) => void;
}

/** Which videos are chosen; only finished ones can be, and those that go are chosen no more. */
export function useSelection(items: readonly Item[]): Selection {
  const [active, setActive] = useState(false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<string | null>(null);
  const order = useMemo(
    () => items.filter((item) => item.status === 'completed' && item.videoUrl).map(({ id }) => id),
    [items],
  );
  // Read when something is ticked: cards need not be drawn anew because the batch was polled.
  const latest = useRef(order);
  useEffect(() => {
    latest.current = order;
  }, [order]);
  const ids = useMemo(() => new Set(order.filter((id) => chosen.has(id))), [chosen, order]);

  const begin = useCallback(() => setActive(true), []);
  const end = useCallback(() => {
    setActive(false);
    setChosen(new Set());
    last.current = null;
  }, []);
  const all = useCallback(() => setChosen(new Set(order)), [order]);
  const toggle = useCallback((id: string, range: boolean) => {
    const places = latest.current;
    const from = last.current === null ? -1 : places.indexOf(last.current);
    const to = places.indexOf(id);
    setChosen((before) => {
      const next = new Set(before);
      if (range && from >= 0) {
        for (const between of places.slice(Math.min(from, to), Math.max(from, to) + 1))
          next.add(between);
      } else if (!next.delete(id)) next.add(id);
      return next;
    });
    last.current = id;
  }, []);

  useEffect(() => {
    if (!active) return;
    const onKeyDown = (event: KeyboardEvent) => {
      // Escape closes what lies over the page first; that has taken the event then.
      if (event.defaultPrevented || document.querySelector('[role=dialog],[role=alertdialog]'))
        return;
      if (event.key === 'Escape') end();
      const typing = event.target instanceof HTMLInputElement;
      if (event.key === 'a' && (event.ctrlKey || event.metaKey) && !typing) {
        event.preventDefault();
        all();
      }
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [active, all, end]);

  return { active: active && order.length > 0, ids, begin, end, all, toggle };
}
