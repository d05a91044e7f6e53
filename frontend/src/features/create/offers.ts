import { queryOptions } from '@tanstack/react-query';

import { request } from '@/shared/api/client';
import type { EngineStatus } from '@/shared/api/types';
import { pollAfter, TROUBLE_POLL_MS } from '@/shared/lib/poll';

import { DEFAULT_LIMITS, readLimits, type Limits } from './limits';

/** An engine, and what holds for a batch that it makes. */
export interface Offer {
  /** Empty: the rules of the installation decide. */
  name: string;
  label: string;
  ready: boolean;
  /** Why it cannot work now. */
  detail: string;
  limits: Limits;
  followsPrompt: boolean;
  /** Who makes the batch decides what it costs, and only the server knows who that is. */
  priceVaries: boolean;
}

export interface Offers {
  /** What holds while nothing is chosen: that of the installation's own choice. */
  automatic: Offer;
  /** What may be chosen by name; the installation's own is always among them. */
  engines: readonly Offer[];
}

/** Until the server has told its own; what a video costs is not known then. */
export const DEFAULT_OFFERS: Offers = {
  automatic: {
    name: '',
    label: '',
    ready: true,
    detail: '',
    limits: DEFAULT_LIMITS,
    followsPrompt: true,
    priceVaries: false,
  },
  engines: [],
};

/** How often a form that offers several engines asks which of them work. */
const OFFERS_POLL_MS = 60_000;

export function readOffers(status: EngineStatus): Offers {
  const { label, ready, detail, capabilities, limits } = status;
  const engines = status.engines.map((engine) => ({
    name: engine.engine,
    label: engine.label,
    ready: engine.ready,
    detail: engine.detail,
    limits: readLimits(engine.limits),
    followsPrompt: engine.limits.understands_prompt !== false,
    priceVaries: false,
  }));
  return {
    automatic: {
      name: '',
      label,
      ready,
      detail,
      limits: readLimits(limits),
      followsPrompt: (limits.understands_prompt ?? capabilities.understands_prompt) !== false,
      priceVaries: limits.price_varies === true,
    },
    engines,
  };
}

export function chosenOf({ automatic, engines }: Offers, name: string): Offer {
  return engines.find((engine) => engine.name === name) ?? automatic;
}

/** Whether an engine that was chosen is not offered any more. */
export function isGone({ engines }: Offers, name: string): boolean {
  return name !== '' && !engines.some((engine) => engine.name === name);
}

export const offersQuery = queryOptions({
  queryKey: ['offers'],
  queryFn: async ({ signal }) =>
    readOffers(await request<EngineStatus>('/api/engine/status', { signal })),
  staleTime: OFFERS_POLL_MS,
  refetchInterval: ({ state: { data, error } }) => {
    // Without an answer nobody knows the price, whyever there is none.
    if (!data) return error ? pollAfter(error) || TROUBLE_POLL_MS : false;
    return data.engines.length > 1 ? OFFERS_POLL_MS : false;
  },
});
