import { queryOptions } from '@tanstack/react-query';

import { request } from '@/shared/api/client';
import type { EngineStatus } from '@/shared/api/types';

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
}

export interface Offers {
  /** What holds while nothing is chosen: that of the installation's own choice. */
  automatic: Offer;
  /** What may be chosen by name; empty where there is one engine, and so no choice. */
  engines: readonly Offer[];
}

/** Until the server has told its own. */
export const DEFAULT_OFFERS: Offers = {
  automatic: {
    name: '',
    label: '',
    ready: true,
    detail: '',
    limits: DEFAULT_LIMITS,
    followsPrompt: true,
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
  }));
  return {
    automatic: {
      name: '',
      label,
      ready,
      detail,
      limits: readLimits(limits),
      followsPrompt: (limits.understands_prompt ?? capabilities.understands_prompt) !== false,
    },
    engines: engines.length > 1 ? engines : [],
  };
}

export function chosenOf({ automatic, engines }: Offers, name: string): Offer {
  return engines.find((engine) => engine.name === name) ?? automatic;
}

export const offersQuery = queryOptions({
  queryKey: ['offers'],
  queryFn: async ({ signal }) =>
    readOffers(await request<EngineStatus>('/api/engine/status', { signal })),
  staleTime: OFFERS_POLL_MS,
  refetchInterval: ({ state }) =>
    state.data && state.data.engines.length > 0 ? OFFERS_POLL_MS : false,
});
