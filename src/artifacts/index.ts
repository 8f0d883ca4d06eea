/**
 * The artifact store: immutable versions and movable channels in any S3 bucket that honours If-None-Match. The layout is
 * documented in docs/reference/artifact-layout.md.
 */
import type { KeyObject } from 'node:crypto';
import type { Finding } from '../core/finding.ts';
import { type Difference, diffContents } from './diff.ts';
import { applyGc, type GcOptions, type GcPlan, planGc } from './gc.ts';
import { type ListedVersion, lastNumber, listChannels, listNames, listVersions } from './list.ts';
import { spare } from './marks.ts';
import type { Artifact } from './model.ts';
import { checkChannel, checkName, parseReference } from './names.ts';
import { type PlaceOptions, placeOf } from './place.ts';
import { type Moved, type PromoteRequest, promote, type RollbackRequest, rollback } from './promote.ts';
import { type Pulled, type PullRequest, pull } from './pull.ts';
import { type Pushed, type PushRequest, push } from './push.ts';
import { history, type Resolved, resolve, type StoredEntry } from './read.ts';
import {
  attachBill,
  attest,
  type Provenance,
  requireSignature,
  type StoredStatement,
  statements,
} from './statements.ts';
import { downloadUrl, type UrlRequest } from './url.ts';
import { type VerifyOptions, verifyName } from './verify.ts';
import { type WatchRequest, watch } from './watch.ts';

export { keyId, privateKeyOf, publicKeyOf } from './envelope.ts';
export { ArtifactError, type ArtifactErrorCode } from './errors.ts';
export { describeAction, type GcAction, type GcOptions, type GcPlan } from './gc.ts';
export type { Artifact, Entry } from './model.ts';
export {
  checkChannel,
  checkName,
  checkVersion,
  type Digest,
  formatReference,
  parseReference,
  type Reference,
} from './names.ts';
export type { PlaceOptions } from './place.ts';
export type { Moved, PromoteRequest, RollbackRequest } from './promote.ts';
export type { Pulled, PullRequest } from './pull.ts';
export type { Pushed, PushRequest } from './push.ts';
export type { Resolved, StoredEntry } from './read.ts';
export type { Provenance, StoredStatement } from './statements.ts';
export { defaultLimits, type UnpackLimits } from './unpack.ts';
export type { WatchRequest } from './watch.ts';

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
  url(request: UrlRequest): Promise<string>;
  verify(name: string, options: VerifyOptions): AsyncIterable<Finding>;
  planGc(options: GcOptions): Promise<GcPlan>;
  applyGc(plan: GcPlan, signal?: AbortSignal): Promise<number>;
  /** Takes gc's mark from an artifact's content. */
  spare(artifact: Artifact): Promise<void>;
  watch(request: WatchRequest): Promise<void>;
  /** Signs where an artifact comes from; answers the key's id. */
  attest(artifact: Artifact, provenance: Provenance, key: KeyObject): Promise<string>;
  statements(artifact: Artifact, keys: readonly KeyObject[]): AsyncIterable<StoredStatement>;
  /** Throws unless one of the keys has signed it; answers the ids of those that have. */
  requireSignature(artifact: Artifact, keys: readonly KeyObject[]): Promise<readonly string[]>;
  attachBill(artifact: Artifact, bytes: Buffer): Promise<void>;
}

/** @throws ArtifactError `invalid` for a tenant that is none */
export function artifacts(options: PlaceOptions): ArtifactStore {
  const place = placeOf(options);
  return {
    push: (request) => push(place, request),
    resolve: async (reference) => resolve(place, parseReference(reference)),
    pull: (request) => pull(place, request),
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
    watch: (request) => watch(place, request),
    attest: (artifact, provenance, key) => attest(place, artifact, provenance, key),
    statements: (artifact, keys) => statements(place, artifact, keys),
    requireSignature: (artifact, keys) => requireSignature(place, artifact, keys),
    attachBill: (artifact, bytes) => attachBill(place, artifact, bytes),
  };
}
