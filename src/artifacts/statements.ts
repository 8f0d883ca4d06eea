import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { envelopeSchema, keyId, seal, signers } from './envelope.ts';
import { ArtifactError } from './errors.ts';
import type { Artifact } from './model.ts';
import { hexOf } from './names.ts';
import { type Place, parseDocument, readBytes, sha256 } from './place.ts';

/** An in-toto statement, https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export const statementSchema = z.object({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  subject: z.array(z.object({ name: z.string(), digest: z.record(z.string(), z.string()) })).min(1),
  predicateType: z.string(),
  predicate: z.unknown(),
});
export type Statement = z.output<typeof statementSchema>;

export interface Provenance {
  /** Who built it, a URI: the CI's workflow, or a person's machine. */
  readonly builder: string;
  /** What kind of build, a URI. */
  readonly buildType: string;
  /** Where the source is, a URI such as `git+https://…`. */
  readonly source?: string | undefined;
}

export interface StoredStatement {
  readonly statement: Statement;
  /** Ids of those of the given keys that signed it; none: it proves nothing. */
  readonly signedBy: readonly string[];
}

const LONGEST_BILL = 64 * 1024 * 1024;

/**
 * Signs where an artifact comes from: a SLSA provenance (v1) about its manifest and its content. Signing again with the same
 * words changes nothing.
 */
export async function attest(
  place: Place,
  artifact: Artifact,
  provenance: Provenance,
  key: KeyObject,
): Promise<string> {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [
      { name: `${artifact.name}:${artifact.version}`, digest: { sha256: hexOf(artifact.digest) } },
      { name: artifact.content.title, digest: { sha256: hexOf(artifact.content.digest) } },
    ],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: provenance.buildType,
        externalParameters: { name: artifact.name, version: artifact.version },
        resolvedDependencies:
          provenance.source === undefined
            ? []
            : [
                {
                  uri: provenance.source,
                  ...(artifact.revision === undefined ? {} : { digest: { gitCommit: artifact.revision } }),
                },
              ],
      },
      runDetails: { builder: { id: provenance.builder }, metadata: { finishedOn: artifact.created } },
    },
  };
  const bytes = Buffer.from(JSON.stringify(seal(Buffer.from(JSON.stringify(statement)), key)));
  const { client, bucket, layout } = place;
  const at = layout.attachment(artifact.name, artifact.digest, 'statements', sha256(bytes));
  await client.put({ bucket, key: at, body: { bytes }, contentType: 'application/json' });
  return keyId(key);
}

/** The statements about an artifact, and who of the given keys signed each. @throws ArtifactError `document` */
export async function* statements(
  place: Place,
  artifact: Artifact,
  keys: readonly KeyObject[],
): AsyncGenerator<StoredStatement> {
  const { client, bucket, layout } = place;
  const prefix = `${layout.attached(artifact.name, artifact.digest)}statements/`;
  for await (const entry of client.list({ bucket, prefix })) {
    if (entry.kind !== 'object') continue;
    const bytes = await readBytes(place, entry.key);
    if (bytes === undefined) continue;
    const envelope = parseDocument(envelopeSchema, bytes, entry.key);
    const statement = parseDocument(statementSchema, Buffer.from(envelope.payload, 'base64'), entry.key);
    // A statement about something else, put here, says nothing about this.
    const about = statement.subject.some(({ digest }) => digest.sha256 === hexOf(artifact.digest));
    yield { statement, signedBy: about ? signers(envelope, keys) : [] };
  }
}

/**
 * The policy of whoever uses an artifact: one of these keys has signed a statement about its very manifest.
 * @returns the ids of the keys that did
 * @throws ArtifactError `signature`
 */
export async function requireSignature(
  place: Place,
  artifact: Artifact,
  keys: readonly KeyObject[],
): Promise<readonly string[]> {
  const found = new Set<string>();
  for await (const { signedBy } of statements(place, artifact, keys)) for (const id of signedBy) found.add(id);
  if (found.size > 0) return [...found];
  throw new ArtifactError('signature', `${artifact.name}:${artifact.version} is not signed by a trusted key`, {
    subject: artifact.digest,
    advice: `do not use it; if it is right, its maker signs it: bucketwright artifact sign ${artifact.name}:${artifact.version} --key KEY`,
  });
}

/** Attaches a bill of materials (SPDX or CycloneDX, as it is). @throws ArtifactError `invalid` when it is too long */
export async function attachBill(place: Place, artifact: Artifact, bytes: Buffer): Promise<void> {
  if (bytes.length > LONGEST_BILL) {
    throw new ArtifactError('invalid', 'a bill of materials has at most 64 MiB', { subject: artifact.digest });
  }
  const { client, bucket, layout } = place;
  const key = layout.attachment(artifact.name, artifact.digest, 'sbom', sha256(bytes));
  await client.put({ bucket, key, body: { bytes }, contentType: 'application/json' });
}
