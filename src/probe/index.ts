/** What an endpoint can really do, measured in scratch buckets. */
export { type Comparison, compare, type ProbeRow } from './compare.ts';
export type { Measurement } from './model.ts';
export { type ProbeResult, probe } from './probe.ts';
export type { Leftover } from './scratch.ts';
