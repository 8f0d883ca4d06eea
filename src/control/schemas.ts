import { z } from 'zod';

/** What goes in and out of the HTTP API; the OpenAPI document, the parsing and the contract test are made from these. */
const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .describe('SHA-256 of the bytes');
const name = z.string().min(1).max(200).describe('An artifact name, such as projections/orders');
const whole = (least: number, most: number, fallback: number) =>
  z.coerce.number().int().min(least).max(most).default(fallback);

export const resolveQuery = z.object({
  reference: z.string().min(1).max(400).describe('NAME:VERSION, NAME@CHANNEL or NAME@sha256:DIGEST'),
  wait: whole(0, 60, 0).describe('Seconds to wait for a change, when If-None-Match holds the current ETag'),
  expires: whole(60, 86_400, 900).describe('Seconds that the signed URL is valid for at least'),
});

export const versionsQuery = z.object({ name });
export const historyQuery = z.object({
  name,
  channel: z.string().min(1).max(64),
  limit: whole(1, 1000, 50).describe('Entries at most, newest first'),
});

export const artifactSchema = z
  .object({
    name,
    version: z.string(),
    digest: digest.describe("Of the manifest: the artifact's identity"),
    kind: z.string(),
    labels: z.record(z.string(), z.string()),
    revision: z.string().optional(),
    creator: z.string().optional(),
    created: z.string(),
    content: z.object({
      digest: digest.describe('What the downloaded bytes must have'),
      size: z.int().min(0).describe('Bytes'),
      mediaType: z.string(),
      title: z.string(),
    }),
  })
  .meta({ id: 'Artifact' });

export const entrySchema = z
  .object({
    number: z.int().min(1),
    action: z.enum(['promote', 'rollback']),
    version: z.string(),
    digest,
    at: z.string(),
    by: z.string(),
    reason: z.string().optional(),
  })
  .meta({ id: 'Entry' });

export const resolvedSchema = z
  .object({
    artifact: artifactSchema,
    entry: entrySchema.optional().describe('Where a channel led here'),
    url: z.string().describe('A signed URL of the content: a secret until it expires'),
    expires: z.string().describe('When the URL stops working, ISO 8601'),
  })
  .meta({ id: 'Resolved' });

export const namesSchema = z.object({ names: z.array(z.string()) }).meta({ id: 'Names' });
export const versionsSchema = z
  .object({ versions: z.array(z.object({ version: z.string(), pushed: z.string().optional() })) })
  .meta({ id: 'Versions' });
export const historySchema = z.object({ entries: z.array(entrySchema) }).meta({ id: 'History' });

export const errorSchema = z
  .object({ error: z.object({ code: z.string(), message: z.string(), advice: z.string().optional() }) })
  .meta({ id: 'Error' });
