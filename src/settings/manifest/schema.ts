import { z } from 'zod';
import { canonicalCors, canonicalRule, type Json, type LifecycleRule, versionings } from '../../bucket/index.ts';
import { DAY, parseDuration } from '../../core/durations.ts';
import { GiB, KiB, MiB, TiB } from '../../core/sizes.ts';
import { parseBucketName, parsePrefix } from '../buckets.ts';
import type { Parsed } from '../parsed.ts';
import { suggest } from '../suggest.ts';
import { NONE } from './model.ts';

/** A map that knows its keys and helps with a mistyped one. */
function map<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return 'must be a map';
      const word = String(issue.keys?.[0]);
      const near = suggest(word, Object.keys(shape));
      return near === undefined
        ? `unknown key ${word}; known are ${Object.keys(shape).join(', ')}`
        : `unknown key ${word}; did you mean ${near}?`;
    },
  });
}

/** Text through one of the parsers of settings. */
const parsed = (parse: (text: string) => Parsed<string>, what: string) =>
  z.string({ error: `must be ${what}` }).transform((text, context) => {
    const result = parse(text);
    if (result.ok) return result.value;
    context.issues.push({ code: 'custom', message: result.problem, input: text });
    return z.NEVER;
  });

/** A duration of whole days, since S3 counts no finer: `30d`, `2w`, or the bare number of days. */
const days = (least: 0 | 1) =>
  z
    .union([z.string(), z.number()], { error: 'must be a duration in days, such as 30d' })
    .transform((value, context) => {
      const ms = typeof value === 'number' ? value * DAY : parseDuration(value);
      const count = ms === undefined ? Number.NaN : ms / DAY;
      if (Number.isInteger(count) && count >= least && count <= 36_500) return count;
      context.issues.push({
        code: 'custom',
        message: `must be whole days, at least ${least}, such as 30d or 2w: S3 counts no finer`,
        input: value,
      });
      return z.NEVER;
    });

const day = z
  .string({ error: 'must be a day, such as 2027-01-31' })
  .refine((text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)), {
    error: 'must be a day, such as 2027-01-31',
  });

const seconds = z
  .union([z.string(), z.number()], { error: 'must be a duration, such as 1h' })
  .transform((value, context) => {
    const ms = typeof value === 'number' ? value * 1000 : parseDuration(value);
    if (ms !== undefined && ms >= 0 && Number.isInteger(ms / 1000)) return ms / 1000;
    context.issues.push({ code: 'custom', message: 'must be a duration of whole seconds, such as 1h', input: value });
    return z.NEVER;
  });

const units: Readonly<Record<string, number>> = { '': 1, B: 1, KiB, MiB, GiB, TiB };

const bytes = z
  .union([z.string(), z.number()], { error: 'must be a size, such as 1MiB' })
  .transform((value, context) => {
    const [, amount, unit = ''] = /^(\d{1,15})\s*(|B|KiB|MiB|GiB|TiB)$/.exec(String(value)) ?? [];
    const size = Number(amount) * (units[unit] ?? Number.NaN);
    if (Number.isSafeInteger(size)) return size;
    context.issues.push({ code: 'custom', message: 'must be a size, such as 1MiB or 500000', input: value });
    return z.NEVER;
  });

const tagText = z.union([z.string(), z.number(), z.boolean()], { error: 'must be a single value' }).transform(String);
const tags = z.record(z.string().min(1).max(128), tagText, { error: 'must be a map of tags' });
const words = z.array(z.string().min(1), { error: 'must be a list' }).min(1, { error: 'must name at least one' });
const switchable = z.boolean({ error: 'must be true or false' });
const storageClass = z.string().min(1).describe('The storage class, as the provider calls it.');

const transition = map({ after: days(0).optional(), on: day.optional(), storageClass, keep: z.int().min(1).optional() })
  .refine(({ after, on }) => (after === undefined) !== (on === undefined), { error: 'needs after or on, one of them' })
  .transform(({ after, on, storageClass: name, keep }) => ({ days: after, on, storageClass: name, keep }));

export const lifecycleRule = map({
  id: z
    .string({ error: 'must be a name' })
    .min(1)
    .max(255)
    .describe('Its name in the bucket, by which it is found again.'),
  enabled: switchable.optional().describe('Whether it is in force. Default: true.'),
  prefix: z.string().max(1024).optional().describe('Only keys that begin with this. Default: every key.'),
  tags: tags.optional().describe('Only objects that have all these tags.'),
  largerThan: bytes.optional().describe('Only objects larger than this, such as 1MiB.'),
  smallerThan: bytes.optional().describe('Only objects smaller than this.'),
  expireAfter: days(1).optional().describe('Objects go after this many days. With versioning they become noncurrent.'),
  expireOn: day.optional().describe('Objects go on this day.'),
  expireDeleteMarkers: switchable.optional().describe('Delete markers that hide nothing any more go.'),
  noncurrentAfter: days(1).optional().describe('Noncurrent versions go so many days after they were replaced.'),
  noncurrentKeep: z.int().min(1).max(100).optional().describe('So many of the newest noncurrent versions stay.'),
  abortUploadsAfter: days(1).optional().describe('Unfinished multipart uploads go after this many days.'),
  transitions: z.array(transition).optional().describe('Objects move to another storage class.'),
  noncurrentTransitions: z.array(transition).optional().describe('Noncurrent versions move to another storage class.'),
})
  .transform(
    (rule): LifecycleRule =>
      canonicalRule({
        id: rule.id,
        enabled: rule.enabled ?? true,
        prefix: rule.prefix ?? '',
        tags: rule.tags ?? {},
        largerThan: rule.largerThan,
        smallerThan: rule.smallerThan,
        expireDays: rule.expireAfter,
        expireOn: rule.expireOn,
        expireDeleteMarkers: rule.expireDeleteMarkers,
        noncurrentDays: rule.noncurrentAfter,
        noncurrentKeep: rule.noncurrentKeep,
        abortUploadsDays: rule.abortUploadsAfter,
        transitions: rule.transitions,
        noncurrentTransitions: rule.noncurrentTransitions,
      }),
  )
  .superRefine((rule, context) => {
    const refuse = (message: string) => context.issues.push({ code: 'custom', message, input: rule });
    const expirations = [rule.expireDays, rule.expireOn, rule.expireDeleteMarkers].filter((one) => one !== undefined);
    if (expirations.length > 1) {
      refuse('expireAfter, expireOn and expireDeleteMarkers exclude each other in one rule: write a rule for each');
    }
    if (
      expirations.length === 0 &&
      rule.noncurrentDays === undefined &&
      rule.abortUploadsDays === undefined &&
      rule.transitions === undefined &&
      rule.noncurrentTransitions === undefined
    ) {
      refuse('does nothing: it needs expireAfter, noncurrentAfter, abortUploadsAfter or the like');
    }
    if (rule.noncurrentKeep !== undefined && rule.noncurrentDays === undefined) {
      refuse('noncurrentKeep needs noncurrentAfter');
    }
    const selective =
      Object.keys(rule.tags).length > 0 || rule.largerThan !== undefined || rule.smallerThan !== undefined;
    if (selective && (rule.abortUploadsDays !== undefined || rule.expireDeleteMarkers === true)) {
      refuse('unfinished uploads and delete markers have no tags and no size: give them a rule without tags and sizes');
    }
    if (rule.largerThan !== undefined && rule.smallerThan !== undefined && rule.smallerThan <= rule.largerThan) {
      refuse('smallerThan must be more than largerThan');
    }
  });

const methods = z.enum(['GET', 'PUT', 'POST', 'DELETE', 'HEAD'], { error: 'must be GET, PUT, POST, DELETE or HEAD' });

const corsRule = map({
  id: z.string().min(1).optional().describe('Its name.'),
  origins: words.describe('Web origins, such as https://app.example.com.'),
  methods: z.array(methods, { error: 'must be a list of methods' }).min(1).describe('GET, PUT, POST, DELETE, HEAD.'),
  headers: z.array(z.string()).optional().describe('Request headers that are allowed; "*" for all.'),
  exposeHeaders: z.array(z.string()).optional().describe('Answer headers that scripts may read.'),
  maxAge: seconds.optional().describe('How long browsers may remember the answer, such as 1h.'),
}).transform(({ id, origins, methods: allowed, headers, exposeHeaders, maxAge }) => ({
  id,
  origins,
  methods: allowed,
  headers: headers ?? [],
  exposeHeaders: exposeHeaders ?? [],
  maxAgeSeconds: maxAge,
}));

const json: z.ZodType<Json> = z.lazy(() =>
  z.union([z.null(), z.boolean(), z.number(), z.string(), z.array(json), z.record(z.string(), json)]),
);

const policy = z
  .record(z.string(), json, { error: 'must be a policy (a map with Statement), or none' })
  .refine((document) => 'Statement' in document, { error: 'must be a policy: a map with Statement' })
  .refine((document) => Buffer.byteLength(JSON.stringify(document)) <= 20 * 1024, {
    error: 'must be at most 20 KiB as JSON: S3 takes no more',
  });

const retention = map({
  mode: z.enum(['governance', 'compliance'], { error: 'must be governance or compliance' }),
  days: z.int().min(1).max(36_500).optional().describe('New objects are locked for so many days.'),
  years: z.int().min(1).max(100).optional().describe('New objects are locked for so many years.'),
}).refine(({ days: d, years }) => (d === undefined) !== (years === undefined), {
  error: 'needs days or years, one of them',
});

const allBlocked = {
  blockPublicAcls: true,
  ignorePublicAcls: true,
  blockPublicPolicy: true,
  restrictPublicBuckets: true,
};

const none = z.literal(NONE);
const bucketName = parsed(parseBucketName, 'a bucket name');

export const bucketShape = {
  name: bucketName.describe('The bucket.'),
  versioning: z
    .enum(versionings, { error: 'must be off, enabled or suspended' })
    .optional()
    .describe('off (never enabled), enabled or suspended.'),
  objectLock: z
    .union(
      [
        z.literal(true).transform(() => ({ enabled: true })),
        retention.transform((r) => ({ enabled: true, retention: r })),
      ],
      {
        error: 'must be true, or a map with mode and days or years',
      },
    )
    .optional()
    .describe(
      'true, or what new objects get: mode (governance, compliance) and days or years. Only new buckets get it.',
    ),
  encryption: z
    .union(
      [
        none,
        z.enum(['AES256', 'aws:kms']).transform((algorithm) => ({ algorithm })),
        map({ algorithm: z.enum(['AES256', 'aws:kms']), keyId: z.string().min(1).optional() }),
      ],
      { error: 'must be none, AES256, aws:kms, or a map with algorithm and keyId' },
    )
    .optional()
    .describe('Default encryption: AES256, aws:kms, or none.'),
  tags: tags.optional().describe("The bucket's tags; others that it has are left alone."),
  cors: z
    .array(corsRule, { error: 'must be a list of rules' })
    .transform(canonicalCors)
    .optional()
    .describe('Which web pages may use it. An empty list: none.'),
  lifecycle: z
    .array(lifecycleRule, { error: 'must be a list of rules' })
    .optional()
    .describe('Rules by id; others that the bucket has are left alone.'),
  publicAccessBlock: z
    .union(
      [
        none,
        z.literal(true).transform(() => allBlocked),
        map({
          blockPublicAcls: switchable.default(false),
          ignorePublicAcls: switchable.default(false),
          blockPublicPolicy: switchable.default(false),
          restrictPublicBuckets: switchable.default(false),
        }),
      ],
      { error: 'must be true, none, or a map of its four switches' },
    )
    .optional()
    .describe('true: nothing of it can be made public.'),
  policy: z
    .union([none, policy], { error: 'must be a policy (a map with Statement), or none' })
    .optional()
    .describe('The bucket policy, as in JSON; none: it must have none.'),
  unmanagedRules: z
    .enum(['keep', 'remove'], { error: 'must be keep or remove' })
    .optional()
    .describe('Lifecycle rules that are not named here: keep (the default) or remove.'),
};

export const bucketSchema = map(bucketShape);
export type ParsedBucket = z.output<typeof bucketSchema>;

const prefix = parsed(parsePrefix, 'a prefix').refine((name) => name !== '', { error: 'must not be empty' });

export const tenantShape = {
  name: z
    .string({ error: 'must be a name' })
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: 'must hold only lower-case letters, digits and dashes' })
    .describe('Its name.'),
  bucket: bucketName.optional().describe('A bucket of its own.'),
  prefixes: z
    .array(map({ bucket: bucketName, prefix }), { error: 'must be a list of bucket and prefix' })
    .min(1)
    .optional()
    .describe('Its prefixes within buckets that others use too: bucket and prefix.'),
  principals: z.array(z.string().min(1)).optional().describe('Who it is in bucket policies: ARNs or key ids.'),
  suspended: switchable.optional().describe('true: shut out for now; everything it has stays.'),
  quota: bytes.optional().describe('How much it may keep, such as 50GiB, where the provider can enforce it.'),
};

export const administratorsSchema = z.array(z.string().min(1), {
  error: 'must be a list of principals, such as arn:aws:iam:::user/p123:KEYID',
});

export const tenantSchema = map(tenantShape).refine(
  ({ bucket, prefixes }) => bucket !== undefined || prefixes !== undefined,
  { error: 'needs a bucket of its own, or prefixes' },
);
export type ParsedTenant = z.output<typeof tenantSchema>;
