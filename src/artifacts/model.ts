import { z } from 'zod';
import type { Digest } from './names.ts';

/** Media types: OCI's where there is one (image-spec 1.1, media-types.md and manifest.md). */
export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  empty: 'application/vnd.oci.empty.v1+json',
  tar: 'application/vnd.oci.image.layer.v1.tar',
  file: 'application/octet-stream',
  artifact: 'application/vnd.bucketwright.artifact.v1',
} as const;

export const digestSchema = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .transform((text): Digest => `sha256:${text.slice('sha256:'.length)}`);
const text = (longest: number) => z.string().min(1).max(longest);
const size = z.int().min(0);

/** OCI's content descriptor. */
export const descriptorSchema = z.object({
  mediaType: text(255),
  digest: digestSchema,
  size,
  annotations: z.record(z.string(), z.string()).optional(),
});
export type Descriptor = z.output<typeof descriptorSchema>;

/** An OCI image manifest as we write it: one layer, an empty configuration, facts in annotations. */
export const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.literal(mediaTypes.manifest),
  artifactType: z.literal(mediaTypes.artifact),
  config: descriptorSchema,
  layers: z.tuple([descriptorSchema]),
  annotations: z.record(z.string(), z.string()),
});
export type Manifest = z.output<typeof manifestSchema>;

/** What a version's object holds: where its manifest is. */
export const versionSchema = descriptorSchema.extend({ mediaType: z.literal(mediaTypes.manifest) });

/** One step of a channel's history; the bytes never change once written. */
export const entrySchema = z.object({
  schemaVersion: z.literal(1),
  name: text(200),
  channel: text(64),
  number: z.int().min(1).max(999_999_999),
  action: z.enum(['promote', 'rollback']),
  version: text(128),
  /** The manifest's digest. */
  digest: digestSchema,
  /** The digest of the entry before, so that a changed history shows. */
  previous: digestSchema.optional(),
  at: z.iso.datetime(),
  by: text(200),
  reason: z.string().max(2000).optional(),
  /** Findings of the checks that were required, as they were. */
  checks: z.array(z.object({ id: text(100), status: z.enum(['ok', 'warn', 'skip']) })).optional(),
  /** Tells our own write from another's when the answer was lost. */
  nonce: text(64),
});
export type Entry = z.output<typeof entrySchema>;

/** What people may say about an artifact. */
export const factsSchema = z.object({
  /** Such as `bundle`, `definition`, `program`. */
  kind: text(100),
  labels: z
    .record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/), z.string().max(1000))
    .refine((labels) => Object.keys(labels).length <= 64, 'at most 64 labels'),
  /** The source's revision, such as a commit. */
  revision: text(200).optional(),
  creator: text(200).optional(),
});

export interface Facts {
  readonly kind: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly revision?: string | undefined;
  readonly creator?: string | undefined;
}

/** An artifact with everything its manifest says. */
export interface Artifact extends Facts {
  readonly name: string;
  readonly version: string;
  /** Of the manifest: what versions and channels mean, and what is signed. */
  readonly digest: Digest;
  readonly content: {
    readonly digest: Digest;
    /** Bytes. */
    readonly size: number;
    readonly mediaType: string;
    /** The file's or directory's name when it was pushed. */
    readonly title: string;
  };
  /** ISO 8601, UTC. */
  readonly created: string;
}

const OCI = 'org.opencontainers.image.';
const LABEL = 'bucketwright.label.';
const emptyConfig = {
  mediaType: mediaTypes.empty,
  digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
  size: 2,
  data: 'e30=',
} as const;

/** The manifest's bytes; members in a fixed order, so that equal artifacts have equal digests. */
export function manifestBytes(artifact: Omit<Artifact, 'digest'>): Buffer {
  const { content } = artifact;
  const annotations: [string, string][] = [
    ['bucketwright.kind', artifact.kind],
    ['bucketwright.name', artifact.name],
    ...Object.entries(artifact.labels).map(([key, value]): [string, string] => [`${LABEL}${key}`, value]),
    [`${OCI}created`, artifact.created],
    [`${OCI}version`, artifact.version],
  ];
  if (artifact.creator !== undefined) annotations.push([`${OCI}authors`, artifact.creator]);
  if (artifact.revision !== undefined) annotations.push([`${OCI}revision`, artifact.revision]);
  annotations.sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType: mediaTypes.artifact,
      config: emptyConfig,
      layers: [
        {
          mediaType: content.mediaType,
          digest: content.digest,
          size: content.size,
          annotations: { [`${OCI}title`]: content.title },
        },
      ],
      annotations: Object.fromEntries(annotations),
    }),
  );
}

/** What a manifest says, whose digest its reader has checked. */
export function artifactOf(manifest: Manifest, digest: Digest): Artifact {
  const { annotations, layers } = manifest;
  const [layer] = layers;
  return {
    name: annotations['bucketwright.name'] ?? '',
    version: annotations[`${OCI}version`] ?? '',
    kind: annotations['bucketwright.kind'] ?? '',
    labels: Object.fromEntries(
      Object.entries(annotations).flatMap(([key, value]) =>
        key.startsWith(LABEL) ? [[key.slice(LABEL.length), value]] : [],
      ),
    ),
    revision: annotations[`${OCI}revision`],
    creator: annotations[`${OCI}authors`],
    created: annotations[`${OCI}created`] ?? '',
    digest,
    content: {
      digest: layer.digest,
      size: layer.size,
      mediaType: layer.mediaType,
      title: layer.annotations?.[`${OCI}title`] ?? 'artifact',
    },
  };
}
