import { z } from 'zod';

/**
 * A bucket's lifecycle rules, as they are kept. Names and meaning are S3's (User Guide, "Lifecycle configuration
 * elements"); all times are whole days.
 */
const ruleSchema = z.object({
  id: z.string(),
  enabled: z.boolean(),
  /** How the filter was written; it is answered in the same way. `prefix`: the rule's own Prefix, without a Filter. */
  form: z.enum(['prefix', 'filter', 'and']),
  /** All of it must hold. */
  filter: z.object({
    prefix: z.string().optional(),
    tags: z.array(z.tuple([z.string(), z.string()])).optional(),
    sizeGreaterThan: z.number().optional(),
    sizeLessThan: z.number().optional(),
  }),
  expiration: z
    .union([
      z.object({ days: z.number() }),
      /** Milliseconds since 1970; midnight UTC. */
      z.object({ date: z.number() }),
      z.object({ expiredObjectDeleteMarker: z.boolean() }),
    ])
    .optional(),
  noncurrentExpiration: z.object({ days: z.number(), newerVersions: z.number().optional() }).optional(),
  /** Days after the beginning of an upload. */
  abortUploadAfter: z.number().optional(),
});

export type LifecycleRule = Readonly<z.infer<typeof ruleSchema>>;
export type LifecycleRules = readonly LifecycleRule[];

const schema = z.array(ruleSchema);
const parsed = new Map<string, LifecycleRules>();
const MAX_PARSED = 1000;

/** What is kept as a bucket's configuration of kind `lifecycle`. */
export function encodeLifecycle(rules: LifecycleRules): string {
  return JSON.stringify(rules);
}

/** No configuration has no rules. An unchanged text is not parsed again. */
export function decodeLifecycle(text: string | undefined): LifecycleRules {
  if (text === undefined) return NONE;
  const known = parsed.get(text);
  if (known !== undefined) return known;
  if (parsed.size >= MAX_PARSED) parsed.clear();
  const rules = schema.parse(JSON.parse(text));
  parsed.set(text, rules);
  return rules;
}

const NONE: LifecycleRules = [];
