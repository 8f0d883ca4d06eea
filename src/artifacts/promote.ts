import type { Finding } from '../core/finding.ts';
import { ArtifactError } from './errors.ts';
import { LEAD, requireUnmarked } from './marks.ts';
import { type Artifact, type Entry, entrySchema } from './model.ts';
import { checkChannel, checkName, formatReference, type Reference } from './names.ts';
import { createOnce, isMissing, nonce, type Place, parseDocument, proveConditionalWrites, sha256 } from './place.ts';
import { currentEntry, damaged, history, manifestAndBytes, resolve, type StoredEntry } from './read.ts';

export interface PromoteRequest {
  /** What the channel shall point at. */
  readonly reference: Reference;
  readonly channel: string;
  /**
   * Where the channel must be now: a version, `#7` for an entry, or `none`. Without it: where it is when we look. Either
   * way only one of several who move it at once succeeds.
   */
  readonly expect?: string | undefined;
  readonly by: string;
  readonly reason?: string | undefined;
  /** Run after all else is known to be fine, before the channel moves; a finding that failed stops it. */
  readonly checks?: ((artifact: Artifact) => Promise<readonly Finding[]>) | undefined;
}

export interface Moved {
  readonly entry: StoredEntry;
  readonly artifact: Artifact;
  /** False: the channel was there already. */
  readonly changed: boolean;
}

/**
 * Moves a channel by creating the next entry of its history.
 * @throws ArtifactError `channel-moved`, `checks-failed`, `condemned`, `content-missing`, `content-damaged`,
 * `no-conditional-writes`, `no-such-version`
 */
export async function promote(place: Place, request: PromoteRequest): Promise<Moved> {
  const channel = checkChannel(request.channel);
  const { artifact } = await resolve(place, request.reference);
  const current = await currentEntry(place, artifact.name, channel);
  if (current?.digest === artifact.digest) return { entry: current, artifact, changed: false };
  expectAt(current, request, artifact.name);
  return move(place, { ...request, channel, artifact, current, action: 'promote' });
}

export interface RollbackRequest extends Omit<PromoteRequest, 'reference'> {
  readonly name: string;
  /** An entry's number; without it: the last entry that led to another artifact than now. */
  readonly to?: number | undefined;
}

/** Moves a channel back to where an earlier entry led; the history grows by an entry that says so. */
export async function rollback(place: Place, request: RollbackRequest): Promise<Moved> {
  const name = checkName(request.name);
  const channel = checkChannel(request.channel);
  let current: StoredEntry | undefined;
  let target: StoredEntry | undefined;
  for await (const entry of history(place, name, channel)) {
    current ??= entry;
    if (request.to === undefined ? entry.digest !== current.digest : entry.number === request.to) {
      target = entry;
      break;
    }
  }
  if (current === undefined || target === undefined) {
    throw new ArtifactError('no-such-channel', `${name}@${channel} has no such earlier entry`, {
      subject: `${name}@${channel}`,
      advice: `bucketwright artifact history ${name} ${channel} tells where it was`,
    });
  }
  expectAt(current, request, name);
  const { artifact } = await resolve(place, { by: 'digest', name, digest: target.digest });
  if (current.digest === artifact.digest) return { entry: current, artifact, changed: false };
  return move(place, { ...request, channel, artifact, current, action: 'rollback' });
}

interface Move extends Omit<PromoteRequest, 'reference'> {
  readonly artifact: Artifact;
  readonly current: StoredEntry | undefined;
  readonly action: Entry['action'];
}

async function move(place: Place, request: Move): Promise<Moved> {
  const { clock, layout } = place;
  const { artifact, channel, current } = request;
  const began = clock.now();
  const { bytes: manifest } = await manifestAndBytes(place, artifact.digest);
  await requireUnmarked(place, artifact);
  await requireContent(place, artifact);
  const findings = (await request.checks?.(artifact)) ?? [];
  const failed = findings.filter(({ status }) => status === 'fail');
  if (failed.length > 0) {
    const said = failed.map(({ id, found }) => `${id}: ${found}`).join('; ');
    throw new ArtifactError('checks-failed', `${artifact.name}:${artifact.version} may not go to ${channel}: ${said}`, {
      subject: artifact.digest,
      advice: failed[0]?.advice ?? 'make the checks pass and promote again; nothing was changed',
    });
  }
  await proveConditionalWrites(place, layout.blob(artifact.digest), manifest);
  if (clock.now() - began > LEAD) {
    throw new ArtifactError('channel-moved', `promoting ${artifact.name} took too long to be safe from gc`, {
      subject: artifact.digest,
      advice: 'run it again',
    });
  }
  const number = (current?.number ?? 0) + 1;
  const key = layout.entry(artifact.name, channel, number);
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 1,
      name: artifact.name,
      channel,
      number,
      action: request.action,
      version: artifact.version,
      digest: artifact.digest,
      previous: current?.entryDigest,
      at: new Date(clock.now()).toISOString(),
      by: request.by,
      reason: request.reason,
      checks: findings.length === 0 ? undefined : findings.map(({ id, status }) => ({ id, status })),
      nonce: nonce(),
    }),
  );
  // What we cannot read back must not be written: nobody could repair it.
  parseDocument(entrySchema, bytes, key);
  if (!(await createOnce(place, key, bytes))) {
    throw new ArtifactError('channel-moved', `${artifact.name}@${channel} was moved by somebody else just now`, {
      subject: `${artifact.name}@${channel}`,
      advice: `look where it is (bucketwright artifact history ${artifact.name} ${channel}) and decide again`,
    });
  }
  const entry = await currentEntry(place, artifact.name, channel);
  if (entry === undefined || entry.number < number) {
    throw damaged(key, 'the entry was acknowledged, and then it was not listed');
  }
  return { entry: { ...parseDocument(entrySchema, bytes, key), entryDigest: sha256(bytes) }, artifact, changed: true };
}

/** @throws ArtifactError `content-missing`, `content-damaged` */
async function requireContent(place: Place, { content, name, version }: Artifact): Promise<void> {
  const key = place.layout.blob(content.digest);
  let size: number;
  try {
    ({ size } = await place.client.head({ bucket: place.bucket, key }));
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new ArtifactError('content-missing', `the content of ${name}:${version} is not there`, {
      subject: key,
      advice: 'push the same content again under the same version: that puts it back',
    });
  }
  if (size !== content.size) throw damaged(key, `${size} bytes instead of ${content.size}`);
}

function expectAt(current: StoredEntry | undefined, request: Pick<PromoteRequest, 'channel' | 'expect'>, name: string) {
  const { expect } = request;
  if (expect === undefined) return;
  const found = current === undefined ? 'none' : `${current.version} (#${current.number})`;
  const met = expect === (current?.version ?? 'none') || expect === `#${current?.number ?? 0}`;
  if (met) return;
  throw new ArtifactError('channel-moved', `${name}@${request.channel} is at ${found}, not at ${expect}`, {
    subject: formatReference({ by: 'channel', name, channel: request.channel }),
    advice: 'look why it moved, and decide again',
  });
}
