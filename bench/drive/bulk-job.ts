/** What the parent asks of one bulk driver process, and what it answers; JSON on its argument and its output. */
import { z } from 'zod';

export const bulkJob = z.object({
  port: z.number(),
  bucket: z.string(),
  /** `fill` and `remove` go through the keys once; the others run for `seconds`. */
  action: z.enum(['put', 'get', 'multipart', 'fill', 'remove']),
  /** Keys are `PREFIX-0`, `PREFIX-1` … */
  prefix: z.string(),
  /** How many keys there are: for `fill`, `get` and `remove`. */
  keys: z.number(),
  bytes: z.number(),
  clients: z.number(),
  seconds: z.number(),
  /** Send the body's SHA-256 in the signature, so that the server has to hash, instead of UNSIGNED-PAYLOAD. */
  signedPayload: z.boolean(),
});
export type BulkJob = z.infer<typeof bulkJob>;

export const bulkRun = z.object({
  /** Requests (for multipart: whole uploads) that succeeded. */
  done: z.number(),
  /** Keys handed out from 0 on, whether or not they succeeded. */
  keys: z.number(),
  /** From the first request to the last answer. */
  seconds: z.number(),
  p50Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  errors: z.number(),
  /** Share of one core that the driver itself was busy; near 1 it may be the limit. */
  driverBusy: z.number(),
  /** The first error, for the report. */
  firstError: z.string().optional(),
});
export type BulkRun = z.infer<typeof bulkRun>;
