import { z } from 'zod';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** Where bytes lie: a sealed blob within a pack. */
export const blobSchema = z.object({
  /** The pack's name: SHA-256 of the object. */
  pack: hash,
  offset: count,
  /** Sealed bytes. */
  length: count,
  codec: z.enum(['none', 'deflate', 'zstd']),
  /** Bytes of what is in it, unpacked. */
  raw: count.max(64 * 1024 * 1024),
  /** Its authentication tag, which ends the sealed bytes: another blob in its place has another. */
  tag: z.string().regex(/^[0-9a-f]{32}$/),
});
export type BlobRef = z.infer<typeof blobSchema>;

/** Pages of an environment: runs of [first page, how many], in the order of the blob's bytes. */
export const segmentSchema = z.object({ runs: z.array(z.tuple([count, count])), blob: blobSchema });
export type Segment = z.infer<typeof segmentSchema>;

/** What one snapshot added, or several that were merged. */
export const layerSchema = z.object({
  version: z.literal(1),
  /** In the order of writing: a later one's pages count. */
  segments: z.array(segmentSchema),
  /** Pages that nothing reached any more, as runs: what older layers hold of them is of no use. Maybe not all. */
  free: z.array(z.tuple([count, count])).optional(),
});
export type Layer = z.infer<typeof layerSchema>;

/** A file or directory of a plain tree; paths are relative, with `/`. */
export const entrySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('directory'), path: z.string(), mode: count }),
  z.object({ kind: z.literal('link'), path: z.string(), target: z.string() }),
  z.object({
    kind: z.literal('file'),
    path: z.string(),
    mode: count,
    size: count,
    /** Milliseconds since 1970, and the inode: an unchanged file is not read again. */
    modified: z.number(),
    inode: count,
    blobs: z.array(blobSchema),
  }),
]);
export type Entry = z.infer<typeof entrySchema>;

export const treeSchema = z.object({ version: z.literal(1), entries: z.array(entrySchema) });
export type TreeDocument = z.infer<typeof treeSchema>;

/** A sealed document that a snapshot needs. */
export const documentSchema = z.object({ name: hash, bytes: count });
export type DocumentRef = z.infer<typeof documentSchema>;

/** A layer that a snapshot builds upon, with what merging needs to know without reading it. */
export const layerRefSchema = documentSchema.extend({
  /** How often it was merged, about: 0 is what one snapshot brought. */
  level: count,
  /** Pages in it, and bytes of their sealed blobs. */
  pages: count,
  stored: count,
});
export type LayerRef = z.infer<typeof layerRefSchema>;

const mdbxSchema = z.object({
  kind: z.literal('mdbx'),
  txnid: count,
  pageSize: count,
  /** Base64 of the meta page's first 244 bytes. */
  meta: z.string(),
  slot: z.number().int().min(0).max(2),
  environmentId: z.string(),
  file: z.string(),
  /** Whether the source was a directory with `mdbx.dat`. */
  subdirectory: z.boolean(),
  /** Oldest first: the first is whole, each further one holds what changed. */
  layers: z.array(layerRefSchema).min(1),
});
const directorySchema = z.object({ kind: z.literal('directory'), tree: documentSchema });

export const snapshotSchema = z.object({
  version: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{16}$/),
  source: z.string(),
  /** One more than that of the snapshot before. */
  sequence: count,
  /** Those of one set were made between the same hooks. */
  set: z.object({ name: z.string(), id: z.string().regex(/^[0-9a-f]{16}$/), sources: z.array(z.string()) }).optional(),
  host: z.string(),
  path: z.string(),
  /** When the source was in this state: milliseconds since 1970 UTC. */
  time: count,
  method: z.enum(['reader', 'mdbx_copy', 'reflink', 'offline', 'files']),
  content: z.discriminatedUnion('kind', [mdbxSchema, directorySchema]),
  /** Bytes of the source that this snapshot stored anew, and as they lie in the repository. */
  added: z.object({ raw: count, stored: count }),
  /** Bytes read of the source, and milliseconds taken. */
  read: count,
  took: count,
});
export type Snapshot = z.infer<typeof snapshotSchema>;
export type MdbxContent = z.infer<typeof mdbxSchema>;
export type DirectoryContent = z.infer<typeof directorySchema>;

export const configSchema = z.object({
  format: z.literal('bucketwright-backup'),
  version: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{32}$/),
});
