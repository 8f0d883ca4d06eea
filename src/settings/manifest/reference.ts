import { z } from 'zod';
import { bucketSchema, lifecycleRule, tenantSchema } from './schema.ts';

/** A schema's JSON Schema as people write the file: before defaults and conversions. */
function plainSchema(schema: z.ZodType): Readonly<Record<string, unknown>> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' });
  return rest;
}

/** What `buckets` and `tenants` are in the JSON Schema of bucketwright.yaml. */
export function manifestProperties(): Readonly<Record<string, object>> {
  return {
    buckets: {
      type: ['array', 'null'],
      description: 'The buckets that `bucketwright provision` makes and keeps as they are described: names, or maps.',
      items: {
        anyOf: [
          { type: 'string', minLength: 3, maxLength: 63, pattern: '^[a-z0-9][a-z0-9.-]*[a-z0-9]$' },
          plainSchema(bucketSchema),
        ],
      },
    },
    tenants: {
      type: ['array', 'null'],
      description: 'Who has what to itself.',
      items: plainSchema(tenantSchema),
    },
    administrators: {
      type: ['array', 'null'],
      description: 'Principals that no policy for tenants may shut out.',
      items: { type: 'string', minLength: 1 },
    },
  };
}

function table(schema: z.ZodType): string {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const rows = Object.entries(properties).map(([key, property]) => {
    const description = typeof property === 'object' ? (property.description ?? '') : '';
    return `| \`${key}\` | ${required.includes(key) ? 'yes' : ''} | ${description.replaceAll('|', '\\|')} |`;
  });
  return ['| key | required | |', '|---|---|---|', ...rows].join('\n');
}

/** The reference page of the manifest's own parts, in Markdown. */
export function manifestReferencePage(): string {
  return `# The manifest

<!-- Made from src/settings/manifest/schema.ts by \`npm run generate\`; a test notices drift. -->

\`bucketwright.yaml\` holds the [settings](settings.md) and may say what should exist: \`buckets\` and \`tenants\`.
[Provisioning](../how-to/provisioning.md) shows it at work. It is never required: the \`S3_*\` variables alone name the
buckets of Loki, Tempo, backups and artifacts.

What is absent is left alone, and \`provision plan\` names it. \`none\` (policy, encryption, publicAccessBlock) and an empty
list (cors) say that it must not be configured. A mistake is reported with its line and column, all of them at once.

## A bucket

An entry of \`buckets\` is a name, or a map:

${table(bucketSchema)}

## A lifecycle rule

Durations are whole days (\`30d\`, \`2w\`, \`30\`), since S3 counts no finer.

${table(lifecycleRule)}

Rules are found by their id. Those that the manifest does not name stay as they are, except when their id begins with
\`bucketwright-\`: these are ours.

## What is added by itself

| bucket of | rule | |
|---|---|---|
| Loki, Tempo, backups, artifacts | \`bucketwright-abort-uploads-…\` | unfinished multipart uploads under its prefix go after 7 days |
| Loki | \`bucketwright-loki-chunks\` | the safety net: chunks under \`<prefix>fake/\` go a day after retention.logs and the compactor's delay are over |
| Loki, Tempo, with versioning | \`bucketwright-noncurrent-…\` | what they deleted goes for good after 1 day |

They are left out where the provider cannot do them, and where the manifest says \`lifecycle\` with a rule of the same id, that
one counts.

## A tenant

${table(tenantSchema)}

\`administrators\`, a list beside \`tenants\`, names the principals that no policy for tenants may shut out: the key that
provisions, Loki's and Tempo's. [Tenants](../how-to/tenants.md) shows it at work.

## Environments

\`environments\` holds a part of the same file for each: \`--environment staging\` (or \`BUCKETWRIGHT_ENVIRONMENT\`) lays it over
the rest. A setting there beats the same one above; a bucket is found by its name and merged attribute by attribute
(lifecycle rules by id, tags by key); other buckets are added. \`\${environment}\` in any value stands for the name.

\`\`\`yaml
s3:
  endpoint: https://fsn1.your-objectstorage.com
loki: { bucket: 'acme-\${environment}-logs' }
tempo: { bucket: 'acme-\${environment}-traces' }
buckets:
  - name: acme-\${environment}-media
    versioning: enabled
    lifecycle:
      - id: old-versions
        noncurrentAfter: 30d
environments:
  production: {}
  staging:
    retention: { logs: 7d }
    buckets:
      - name: acme-\${environment}-media
        lifecycle:
          - id: old-versions
            noncurrentAfter: 3d
\`\`\`
`;
}
