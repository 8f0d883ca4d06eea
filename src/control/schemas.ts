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
    manifest: z
      .base64()
      .describe('The bytes whose SHA-256 is the digest of the artifact: read them, and believe no other field'),
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

export const statementsQuery = z.object({
  reference: z.string().min(1).max(400).describe('NAME:VERSION, NAME@CHANNEL or NAME@sha256:DIGEST'),
});
export const statementsSchema = z
  .object({
    statements: z
      .array(
        z.object({
          payloadType: z.string(),
          payload: z.base64(),
          signatures: z.array(z.object({ keyid: z.string().optional(), sig: z.base64() })),
        }),
      )
      .describe('DSSE envelopes as they are stored: check their signatures yourself'),
  })
  .meta({ id: 'Statements' });

export const grantBody = z
  .strictObject({
    name,
    version: z.string().min(1).max(128),
    content: z.strictObject({
      digest: digest.describe('Of the bytes that will be sent: bucketwright artifact pack prints it'),
      size: z
        .int()
        .min(0)
        .max(5 * 1024 ** 3)
        .describe('Bytes'),
      mediaType: z.enum(['application/vnd.oci.image.layer.v1.tar', 'application/octet-stream']),
      title: z.string().min(1).max(255),
    }),
    kind: z.string().min(1).max(100).optional(),
    labels: z.record(z.string(), z.string()).optional(),
    revision: z.string().min(1).max(200).optional(),
    creator: z.string().min(1).max(200).optional(),
    expires: z.int().min(1).max(86_400).default(900).describe('Seconds that URL and ticket are valid'),
  })
  .meta({ id: 'GrantRequest' });
export const grantSchema = z
  .object({
    ticket: z.string().describe('Makes the version once the content is there: a secret'),
    expires: z.string().describe('When URL and ticket stop working, ISO 8601'),
    upload: z
      .object({
        method: z.literal('PUT'),
        url: z.string().describe('Takes exactly these bytes: a secret'),
        headers: z.record(z.string(), z.string()).describe('To be sent as they are'),
      })
      .optional()
      .describe('Absent: the content is there already'),
  })
  .meta({ id: 'Grant' });

export const finishBody = z.strictObject({ ticket: z.string().min(1).max(200) }).meta({ id: 'FinishRequest' });
export const finishedSchema = z
  .object({ artifact: artifactSchema, created: z.boolean().describe('false: the version was there already, the same') })
  .meta({ id: 'Finished' });

export const linkBody = z
  .strictObject({
    reference: z.string().min(1).max(400).describe('NAME:VERSION, NAME@CHANNEL or NAME@sha256:DIGEST'),
    expires: z.int().min(1).max(604_800).default(900).describe('Seconds that the link is valid'),
    once: z.boolean().default(false).describe('It can be used once, by whoever comes first'),
    address: z.string().min(2).max(50).optional().describe('The only address or network that can use it: 10.0.0.0/24'),
    fileName: z.string().min(1).max(255).optional(),
  })
  .meta({ id: 'LinkRequest' });
export const linkSchema = z
  .object({
    path: z.string().describe('Below this API: a secret until it is used or expires'),
    expires: z.string(),
    content: z.object({ digest, size: z.int().min(0) }).describe('What the downloaded bytes must be'),
  })
  .meta({ id: 'Link' });

export const errorSchema = z
  .object({ error: z.object({ code: z.string(), message: z.string(), advice: z.string().optional() }) })
  .meta({ id: 'Error' });
