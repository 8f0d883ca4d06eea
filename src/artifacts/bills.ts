import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { ArtifactError } from './errors.ts';
import type { Artifact } from './model.ts';
import { checkDigest, type Digest, hexOf } from './names.ts';
import { type Place, readBytes, sha256 } from './place.ts';
import { damaged } from './read.ts';
import { putStatement, statements } from './statements.ts';

const LONGEST_BILL = 64 * 1024 * 1024;

/** https://github.com/in-toto/attestation/blob/main/spec/predicates/reference.md: documents kept elsewhere, by digest. */
const REFERENCE = 'https://in-toto.io/attestation/reference/v0.1';
const referenceSchema = z.object({
  references: z.array(z.object({ digest: z.record(z.string(), z.string()) })).max(1000),
});

export interface AttachedBill {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Ids of those of the given keys that signed that it belongs to this artifact. */
  readonly signedBy: readonly string[];
}

/**
 * Attaches a bill of materials (SPDX or CycloneDX, as it is), and with a key signs that it belongs to the artifact: an in-toto
 * reference with the bill's digest.
 * @throws ArtifactError `invalid` when it is too long
 */
export async function attachBill(place: Place, artifact: Artifact, bytes: Buffer, key?: KeyObject): Promise<Digest> {
  if (bytes.length > LONGEST_BILL) {
    throw new ArtifactError('invalid', 'a bill of materials has at most 64 MiB', { subject: artifact.digest });
  }
  const { client, bucket, layout } = place;
  const digest = sha256(bytes);
  const at = layout.attachment(artifact.name, artifact.digest, 'sbom', digest);
  await client.put({ bucket, key: at, body: { bytes }, contentType: 'application/json' });
  if (key !== undefined) {
    const reference = { name: 'sbom', mediaType: mediaTypeOf(bytes), digest: { sha256: hexOf(digest) } };
    await putStatement(place, artifact, key, REFERENCE, { references: [reference] });
  }
  return digest;
}

/** The bills of materials of an artifact, and who of the given keys signed each. */
export async function* bills(
  place: Place,
  artifact: Artifact,
  keys: readonly KeyObject[],
): AsyncGenerator<AttachedBill> {
  const signers = new Map<string, Set<string>>();
  for await (const { statement, signedBy } of statements(place, artifact, keys)) {
    const parsed = statement.predicateType === REFERENCE ? referenceSchema.safeParse(statement.predicate) : undefined;
    for (const { digest } of parsed?.data?.references ?? []) {
      const ids = signers.get(digest.sha256 ?? '') ?? new Set();
      for (const id of signedBy) ids.add(id);
      signers.set(digest.sha256 ?? '', ids);
    }
  }
  const { client, bucket, layout } = place;
  const prefix = `${layout.attached(artifact.name, artifact.digest)}sbom/`;
  for await (const entry of client.list({ bucket, prefix })) {
    if (entry.kind !== 'object') continue;
    const hex = entry.key.slice(prefix.length);
    yield { digest: checkDigest(`sha256:${hex}`), size: entry.size, signedBy: [...(signers.get(hex) ?? [])] };
  }
}

/** A bill's bytes, checked. @throws ArtifactError `content-missing`, `content-damaged` */
export async function readBill(place: Place, artifact: Artifact, digest: Digest): Promise<Buffer> {
  const key = place.layout.attachment(artifact.name, artifact.digest, 'sbom', digest);
  const bytes = await readBytes(place, key, LONGEST_BILL);
  if (bytes === undefined) {
    throw new ArtifactError('content-missing', `${artifact.name}:${artifact.version} has no bill ${digest}`, {
      subject: key,
      advice: `bucketwright artifact sbom ${artifact.name}:${artifact.version} lists those it has`,
    });
  }
  if (sha256(bytes) !== digest) throw damaged(key, `its digest is ${sha256(bytes)}`);
  return bytes;
}

/** By what the document says of itself; its own schema is its reader's business. */
function mediaTypeOf(bytes: Buffer): string {
  const head = bytes.subarray(0, 4096).toString('utf8');
  if (/"bomFormat"\s*:\s*"CycloneDX"/.test(head)) return 'application/vnd.cyclonedx+json';
  return /"spdxVersion"\s*:/.test(head) ? 'application/spdx+json' : 'application/octet-stream';
}
