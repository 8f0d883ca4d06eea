/**
 * The artifact store: immutable versions and movable channels in any S3 bucket that honours If-None-Match. The layout is
 * documented in docs/reference/artifact-layout.md.
 */
import type { KeyObject } from 'node:crypto';
import type { Finding } from '../core/finding.ts';
import type { Secret } from '../core/secret.ts';
import { type AttachedBill, attachBill, bills, readBill } from './bills.ts';
import { type Difference, diffContents } from './diff.ts';
import type { Envelope } from './envelope.ts';
import { applyGc, type GcOptions, type GcPlan, planGc } from './gc.ts';
import { finishUpload, type Grant, type GrantRequest, grantUpload } from './grants.ts';
import { type LinkRequest, makeLink, openLink } from './links.ts';
import { type ListedVersion, lastNumber, listChannels, listNames, listVersions } from './list.ts';
import { spare } from './marks.ts';
import type { Artifact } from './model.ts';
import { checkChannel, checkName, type Digest, parseReference } from './names.ts';
import { type PlaceOptions, placeOf } from './place.ts';
import { type Moved, type PromoteRequest, promote, type RollbackRequest, rollback } from './promote.ts';
import { type Pulled, type PullRequest, pull } from './pull.ts';
import { type Pushed, type PushRequest, push } from './push.ts';
import { history, manifestAndBytes, type Resolved, resolve, type StoredEntry } from './read.ts';
import { type ArtifactSource, sourceOf } from './source.ts';
import { attest, envelopes, type Provenance, type StoredStatement, statements } from './statements.ts';
import { downloadUrl, type UrlRequest } from './url.ts';
import { type VerifyOptions, verifyName } from './verify.ts';
import type { MadeVersion } from './version.ts';
import { type WatchRequest, watch } from './watch.ts';

export type { AttachedBill } from './bills.ts';
export { owned } from './borrowed.ts';
export { type Envelope, envelopeSchema, keyId, privateKeyOf, publicKeyOf } from './envelope.ts';
export { ArtifactError, type ArtifactErrorCode } from './errors.ts';
export { describeAction, type GcAction, type GcOptions, type GcPlan } from './gc.ts';
export type { Grant, GrantRequest } from './grants.ts';
export { isWithin, type LinkRequest, networkOf } from './links.ts';
export { type Artifact, artifactOf, type Entry, manifestSchema } from './model.ts';
export {
  checkChannel,
  checkDigest,
  checkName,
  checkVersion,
  type Digest,
  formatReference,
  parseReference,
  type Reference,
} from './names.ts';
export { openSource, type Source } from './pack.ts';
export { type PlaceOptions, sha256 } from './place.ts';
export type { Moved, PromoteRequest, RollbackRequest } from './promote.ts';
export { type Pulled, type PullRequest, pull } from './pull.ts';
export type { Pushed, PushRequest } from './push.ts';
export { type OpenRange, type RangedRead, readRanges } from './ranges.ts';
export type { Resolved, StoredEntry } from './read.ts';
export { saveRanges } from './save.ts';
export { type SendRequest, sendContent } from './send.ts';
export type { ArtifactSource, Found, Patience, SaveOptions } from './source.ts';
export { type Provenance, requireSignature, type StoredStatement } from './statements.ts';
export { parseTicket, type Ticket, type TicketKind } from './tickets.ts';
export { defaultLimits, type UnpackLimits } from './unpack.ts';
export { type Measured, measure } from './upload.ts';
export { contentDisposition } from './url.ts';
export type { MadeVersion } from './version.ts';
export { type WatchRequest, watch } from './watch.ts';

/** Everything one can do with a store. All methods throw `ArtifactError` and `ClientError`. */
export interface ArtifactStore {
  push(request: PushRequest): Promise<Pushed>;
  /** `NAME:VERSION`, `NAME@CHANNEL`, `NAME@sha256:DIGEST`. */
  resolve(reference: string): Promise<Resolved>;
  pull(request: PullRequest): Promise<Pulled>;
  names(): AsyncIterable<string>;
  versions(name: string): AsyncIterable<ListedVersion>;
  channels(name: string): AsyncIterable<string>;
  /** How often a channel was moved, by one LIST of one key. */
  entries(name: string, channel: string): Promise<number>;
  /** Newest first. */
  history(name: string, channel: string): AsyncIterable<StoredEntry>;
  promote(request: PromoteRequest): Promise<Moved>;
  rollback(request: RollbackRequest): Promise<Moved>;
  diff(before: Artifact, after: Artifact): Promise<readonly Difference[]>;
  url(request: UrlRequest): string;
  verify(name: string, options: VerifyOptions): AsyncIterable<Finding>;
  planGc(options: GcOptions): Promise<GcPlan>;
  applyGc(plan: GcPlan, signal?: AbortSignal): Promise<number>;
  /** Takes gc's mark from an artifact's content. */
  spare(artifact: Artifact): Promise<void>;
  watch(request: WatchRequest): Promise<void>;
  /** Where `pull` and `watch` read. */
  readonly source: ArtifactSource;
  /** Lets somebody without keys upload one content and make one version of it. */
  grantUpload(request: GrantRequest): Promise<Grant>;
  /** Makes the version of a granted upload that has arrived. */
  finishUpload(ticket: string): Promise<MadeVersion>;
  /** A link for the HTTP API that can be used once, or from one address only. */
  makeLink(request: LinkRequest): Promise<{ readonly ticket: Secret; readonly expires: string }>;
  openLink(ticket: string, from: string): Promise<{ readonly artifact: Artifact; readonly fileName: string }>;
  /** Signs where an artifact comes from; answers the key's id. */
  attest(artifact: Artifact, provenance: Provenance, key: KeyObject): Promise<string>;
  statements(artifact: Artifact, keys: readonly KeyObject[]): AsyncIterable<StoredStatement>;
  /** Throws unless one of the keys has signed it; answers the ids of those that have. */
  requireSignature(artifact: Artifact, keys: readonly KeyObject[]): Promise<readonly string[]>;
  /** The signed envelopes about an artifact, as they are stored. */
  envelopes(artifact: Artifact): AsyncIterable<Envelope>;
  /** Attaches a bill of materials; with a key, signs that it belongs to the artifact. */
  attachBill(artifact: Artifact, bytes: Buffer, key?: KeyObject): Promise<Digest>;
  bills(artifact: Artifact, keys: readonly KeyObject[]): AsyncIterable<AttachedBill>;
  readBill(artifact: Artifact, digest: Digest): Promise<Buffer>;
  /** The manifest's bytes, checked. */
  manifest(artifact: Artifact): Promise<Buffer>;
}

/** @throws ArtifactError `invalid` for a tenant that is none */
export function artifacts(options: PlaceOptions): ArtifactStore {
  const place = placeOf(options);
  const source = sourceOf(place);
  return {
    source,
    push: (request) => push(place, request),
    resolve: async (reference) => resolve(place, parseReference(reference)),
    pull: (request) => pull(source, request),
    names: () => listNames(place),
    versions: (name) => listVersions(place, checkName(name)),
    channels: (name) => listChannels(place, checkName(name)),
    entries: async (name, channel) => lastNumber(place, checkName(name), checkChannel(channel)),
    history: (name, channel) => history(place, checkName(name), checkChannel(channel)),
    promote: (request) => promote(place, request),
    rollback: (request) => rollback(place, request),
    diff: (before, after) => diffContents(place, before, after),
    url: (request) => downloadUrl(place, request),
    verify: (name, settings) => verifyName(place, checkName(name), settings),
    planGc: (settings) => planGc(place, settings),
    applyGc: (plan, signal) => applyGc(place, plan, signal),
    spare: (artifact) => spare(place, artifact.content.digest),
    watch: (request) => watch(source, request),
    attest: (artifact, provenance, key) => attest(place, artifact, provenance, key),
    statements: (artifact, keys) => statements(place, artifact, keys),
    requireSignature: source.requireSignature,
    grantUpload: (request) => grantUpload(place, request),
    finishUpload: (ticket) => finishUpload(place, ticket),
    makeLink: (request) => makeLink(place, request),
    openLink: (ticket, from) => openLink(place, ticket, from),
    envelopes: (artifact) => envelopes(place, artifact),
    attachBill: (artifact, bytes, key) => attachBill(place, artifact, bytes, key),
    bills: (artifact, keys) => bills(place, artifact, keys),
    readBill: (artifact, digest) => readBill(place, artifact, digest),
    manifest: async (artifact) => (await manifestAndBytes(place, artifact.digest)).bytes,
  };
}
