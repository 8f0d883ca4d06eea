import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { type Envelope, envelopeSchema, keyId, seal, signers } from './envelope.ts';
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

const PROVENANCE = 'https://slsa.dev/provenance/v1';

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
  return putStatement(place, artifact, key, PROVENANCE, {
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
  });
}

/** Signs a statement about an artifact's manifest and content. @returns the key's id */
export async function putStatement(
  place: Place,
  artifact: Artifact,
  key: KeyObject,
  predicateType: string,
  predicate: object,
): Promise<string> {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [
      { name: `${artifact.name}:${artifact.version}`, digest: { sha256: hexOf(artifact.digest) } },
      { name: artifact.content.title, digest: { sha256: hexOf(artifact.content.digest) } },
    ],
    predicateType,
    predicate,
  };
  const bytes = Buffer.from(JSON.stringify(seal(Buffer.from(JSON.stringify(statement)), key)));
  const { client, bucket, layout } = place;
  const at = layout.attachment(artifact.name, artifact.digest, 'statements', sha256(bytes));
  await client.put({ bucket, key: at, body: { bytes }, contentType: 'application/json' });
  return keyId(key);
}

/** The signed envelopes about an artifact, as they are stored. @throws ArtifactError `document` */
export async function* envelopes(place: Place, artifact: Artifact): AsyncGenerator<Envelope> {
  const { client, bucket, layout } = place;
  const prefix = `${layout.attached(artifact.name, artifact.digest)}statements/`;
  for await (const entry of client.list({ bucket, prefix })) {
    if (entry.kind !== 'object') continue;
    const bytes = await readBytes(place, entry.key);
    if (bytes !== undefined) yield parseDocument(envelopeSchema, bytes, entry.key);
  }
}

/** The statements about an artifact, and who of the given keys signed each. @throws ArtifactError `document` */
export async function* statements(
  place: Place,
  artifact: Artifact,
  keys: readonly KeyObject[],
): AsyncGenerator<StoredStatement> {
  for await (const envelope of envelopes(place, artifact)) yield openEnvelope(envelope, artifact, keys);
}

/** @throws ArtifactError `document` */
export function openEnvelope(envelope: Envelope, artifact: Artifact, keys: readonly KeyObject[]): StoredStatement {
  const payload = Buffer.from(envelope.payload, 'base64');
  const statement = parseDocument(statementSchema, payload, `a statement about ${artifact.digest}`);
  // A statement about something else, put here, says nothing about this.
  const about = statement.subject.some(({ digest }) => digest.sha256 === hexOf(artifact.digest));
  return { statement, signedBy: about ? signers(envelope, keys) : [] };
}

/**
 * The policy of whoever uses an artifact: one of these keys has signed where its very manifest comes from. Other statements, such
 * as one about a bill of materials, do not say that it may be used.
 * @returns the ids of the keys that did
 * @throws ArtifactError `signature`
 */
export async function requireSignature(
  found: AsyncIterable<Envelope>,
  artifact: Artifact,
  keys: readonly KeyObject[],
): Promise<readonly string[]> {
  const ids = new Set<string>();
  for await (const envelope of found) {
    const { statement, signedBy } = openEnvelope(envelope, artifact, keys);
    if (statement.predicateType === PROVENANCE) for (const id of signedBy) ids.add(id);
  }
  if (ids.size > 0) return [...ids];
  throw new ArtifactError('signature', `${artifact.name}:${artifact.version} is not signed by a trusted key`, {
    subject: artifact.digest,
    advice: `do not use it; if it is right, its maker signs it: bucketwright artifact sign ${artifact.name}:${artifact.version} --key KEY`,
  });
}
