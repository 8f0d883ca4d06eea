import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Connection } from '../../providers/index.ts';
import { heard } from './agents.ts';
import { joinNeighbours } from './neighbours.ts';
import { createRate } from './rate.ts';

/** What all clients of this process may do at one endpoint, together. */
export interface Budget {
  /** Shared where the provider counts connections, and then not ended by `destroy`; else the caller's own. */
  agent(sockets: number): HttpAgent | HttpsAgent;
  /** Resolves when a request may be sent. */
  take(): Promise<void>;
}

/**
 * Of what a provider allows one address, the part that all our commands take together: the rest is for Loki, Tempo and
 * whatever else runs behind the same address.
 */
const OUR_PART = 1 / 2;
/** How often a process looks how many others there are. */
const LOOK_MS = 2_000;

const budgets = new Map<string, Budget>();

/** One for each endpoint whose provider says what it allows an address; for others there is nothing to share. */
export function budgetOf({ endpoint, provider: { limits } }: Connection): Budget {
  const Agent = endpoint.scheme === 'https' ? HttpsAgent : HttpAgent;
  const own = (sockets: number) => heard(new Agent({ keepAlive: true, maxSockets: sockets }));
  const { connections, requestsPerSecond } = limits ?? {};
  if (connections === undefined && requestsPerSecond === undefined) {
    return { agent: own, take: () => Promise.resolve() };
  }
  const key = `${endpoint.scheme}://${endpoint.authority} ${connections} ${requestsPerSecond}`;
  const known = budgets.get(key);
  if (known !== undefined) return known;

  const neighbours = joinNeighbours(endpoint.authority);
  process.once('exit', () => neighbours.leave());
  const part = (limit: number | undefined) =>
    limit === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor((limit * OUR_PART) / neighbours.count()));
  const shared = connections === undefined ? undefined : sharedBy(Agent, part(connections));
  const rate = createRate(part(requestsPerSecond));
  let looked = performance.now();
  const budget: Budget = {
    agent: (sockets) => shared ?? own(sockets),
    async take() {
      const now = performance.now();
      if (now - looked > LOOK_MS) {
        looked = now;
        if (shared !== undefined) shared.maxSockets = shared.maxTotalSockets = part(connections);
        rate.set(part(requestsPerSecond));
      }
      await rate.take();
    },
  };
  budgets.set(key, budget);
  return budget;
}

/** Whoever closes a client must not end the others' sockets; idle ones do not keep the process. */
function sharedBy(Agent: typeof HttpAgent | typeof HttpsAgent, sockets: number): HttpAgent | HttpsAgent {
  const agent = heard(new Agent({ keepAlive: true, maxSockets: sockets, maxTotalSockets: sockets }));
  return Object.assign(agent, { destroy: () => undefined });
}
