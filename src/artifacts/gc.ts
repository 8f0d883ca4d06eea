import { ClientError } from '../client/index.ts';
import { HOUR, SECOND } from '../core/durations.ts';
import { grantedUntil } from './grants.ts';
import { LONGEST_LINK_SECONDS, linkEnds } from './links.ts';
import { listChannels, listNames, listVersions } from './list.ts';
import { markSchema, readMark } from './marks.ts';
import { checkDigest, type Digest, hexOf } from './names.ts';
import { type Place, parseDocument, readBytes } from './place.ts';
import { history, manifestAndBytes, versionDigest } from './read.ts';

export interface GcOptions {
  /** Of each name, the content of this many newest versions stays. */
  readonly versions: number;
  /** Of each channel, the content of this many newest entries stays, so that one can go back to them. */
  readonly entries: number;
  /** Milliseconds, at least an hour: nothing younger is marked, and nothing marked is removed before. */
  readonly grace: number;
}

export const LEAST_GRACE = HOUR;

export type GcAction =
  /** Nothing needs it: it will be removed by a run after the grace period. */
  | { readonly kind: 'mark'; readonly digest: Digest; readonly size: number; readonly removeAfter: string }
  /** Marked long enough, and still not needed. */
  | { readonly kind: 'remove'; readonly digest: Digest; readonly size: number; readonly removeAfter: string }
  /** Needed again, or gone. */
  | { readonly kind: 'unmark'; readonly digest: Digest }
  | { readonly kind: 'abort-upload'; readonly key: string; readonly uploadId: string }
  /** A granted upload or a link that ended. */
  | { readonly kind: 'forget'; readonly key: string };

export interface GcPlan {
  readonly actions: readonly GcAction[];
  /** Blobs that stay, and their bytes. */
  readonly kept: { readonly blobs: number; readonly bytes: number };
}

/**
 * What a run would do now; nothing is changed. A version's object and manifest always stay, so that no version is ever
 * used twice and one can tell what it was; only content goes. Memory grows with the number of blobs, about 100 bytes each.
 */
export async function planGc(place: Place, options: GcOptions): Promise<GcPlan> {
  const { client, bucket, layout, clock } = place;
  const now = clock.now();
  const grace = Math.max(options.grace, LEAST_GRACE);
  // Blobs before references: what is pushed after this is not in the list, and so never in the plan.
  const blobs: { readonly digest: Digest; readonly size: number; readonly modified: number }[] = [];
  for await (const entry of client.list({ bucket, prefix: layout.blobs })) {
    const hex = entry.kind === 'object' ? entry.key.slice(layout.blobs.length) : '';
    if (entry.kind !== 'object' || !/^[0-9a-f]{64}$/.test(hex)) continue;
    blobs.push({ digest: `sha256:${hex}`, size: entry.size, modified: entry.modified ?? now });
  }
  const marks = new Map<Digest, string>();
  for await (const entry of client.list({ bucket, prefix: layout.marks })) {
    if (entry.kind !== 'object') continue;
    const bytes = await readBytes(place, entry.key);
    if (bytes === undefined) continue;
    const digest = checkDigest(`sha256:${entry.key.slice(layout.marks.length)}`);
    marks.set(digest, parseDocument(markSchema, bytes, entry.key).removeAfter);
  }
  const needed = await neededBlobs(place, options, now - grace);
  const actions: GcAction[] = [];
  for await (const { key, digest, until } of endings(place)) {
    // A while longer than it says, for clocks that differ.
    if (until < now - grace) actions.push({ kind: 'forget', key });
    else if (digest !== undefined) needed.add(digest);
  }
  const kept = { blobs: 0, bytes: 0 };
  for (const { digest, size, modified } of blobs) {
    const removeAfter = marks.get(digest);
    marks.delete(digest);
    if (needed.has(digest)) {
      if (removeAfter !== undefined) actions.push({ kind: 'unmark', digest });
    } else if (removeAfter === undefined) {
      if (modified < now - grace) {
        actions.push({ kind: 'mark', digest, size, removeAfter: new Date(now + grace).toISOString() });
      }
    } else if (Date.parse(removeAfter) <= now) {
      actions.push({ kind: 'remove', digest, size, removeAfter });
      continue;
    }
    kept.blobs += 1;
    kept.bytes += size;
  }
  for (const digest of marks.keys()) actions.push({ kind: 'unmark', digest });
  try {
    for await (const { key, uploadId, initiated } of client.listUploads({ bucket, prefix: layout.blobs })) {
      if ((initiated ?? now) < now - grace) actions.push({ kind: 'abort-upload', key, uploadId });
    }
  } catch (error) {
    // A tenant in a shared bucket may not look at uploads, which S3 cannot limit to a prefix: a lifecycle rule ends them.
    if (!(error instanceof ClientError) || error.code !== 'denied') throw error;
  }
  return { actions, kept };
}

/** Granted uploads and links, with what the former need. */
async function* endings(place: Place): AsyncGenerator<{ key: string; digest: Digest | undefined; until: number }> {
  const { client, bucket, layout } = place;
  for (const prefix of [layout.uploads, layout.links]) {
    for await (const entry of client.list({ bucket, prefix })) {
      if (entry.kind !== 'object') continue;
      const { key, modified = place.clock.now() } = entry;
      if (!/^[0-9a-f]{64}$/.test(key.slice(prefix.length))) {
        // A link's use, which the link outlives; and what a killed probe left.
        yield { key, digest: undefined, until: modified + LONGEST_LINK_SECONDS * SECOND };
        continue;
      }
      const bytes = await readBytes(place, key);
      if (bytes === undefined) continue;
      if (prefix === layout.uploads) yield { key, ...grantedUntil(bytes, key) };
      else yield { key, digest: undefined, until: linkEnds(bytes, key) };
    }
  }
}

/** Does what was planned; run again, it goes on. @returns how many actions were done; others had become wrong */
export async function applyGc(place: Place, { actions }: GcPlan, signal?: AbortSignal): Promise<number> {
  const { client, bucket, layout } = place;
  let done = 0;
  for (const action of actions) {
    if (signal?.aborted === true) break;
    switch (action.kind) {
      case 'mark': {
        const mark = {
          schemaVersion: 1,
          marked: new Date(place.clock.now()).toISOString(),
          removeAfter: action.removeAfter,
        };
        const bytes = JSON.stringify(mark);
        await client.put({ bucket, key: layout.mark(action.digest), body: { bytes }, contentType: 'application/json' });
        break;
      }
      case 'unmark':
        await client.delete({ bucket, key: layout.mark(action.digest) });
        break;
      case 'remove': {
        // Taken away, or set anew, since the plan was made: somebody needs it.
        const mark = await readMark(place, action.digest);
        if (mark?.removeAfter !== action.removeAfter) continue;
        await client.delete({ bucket, key: layout.blob(action.digest) });
        await client.delete({ bucket, key: layout.mark(action.digest) });
        break;
      }
      case 'abort-upload':
        try {
          await client.abortUpload({ bucket, key: action.key, uploadId: action.uploadId });
        } catch (error) {
          // Completed or aborted since the plan was made.
          if (!(error instanceof ClientError) || error.code !== 'no-such-upload') throw error;
        }
        break;
      case 'forget':
        await client.delete({ bucket, key: action.key });
        break;
    }
    done += 1;
  }
  return done;
}

async function neededBlobs(place: Place, options: GcOptions, young: number): Promise<Set<Digest>> {
  const needed = new Set<Digest>();
  const content = async (digest: Digest) => {
    needed.add(digest);
    needed.add((await manifestAndBytes(place, digest)).artifact.content.digest);
  };
  for await (const name of listNames(place)) {
    const versions = [];
    for await (const version of listVersions(place, name)) versions.push(version);
    versions.sort((a, b) => (b.pushed ?? Number.MAX_VALUE) - (a.pushed ?? Number.MAX_VALUE));
    for (const [index, { version, pushed }] of versions.entries()) {
      const digest = await versionDigest(place, name, version);
      if (digest === undefined) continue;
      if (index < options.versions || (pushed ?? Number.MAX_VALUE) >= young) await content(digest);
      else needed.add(digest);
    }
    for await (const channel of listChannels(place, name)) {
      let count = 0;
      for await (const entry of history(place, name, channel, Math.min(1000, Math.max(1, options.entries)))) {
        count += 1;
        if (count <= Math.max(1, options.entries)) await content(entry.digest);
        else break;
      }
    }
  }
  return needed;
}

/** For people. */
export function describeAction(action: GcAction): string {
  switch (action.kind) {
    case 'mark':
      return `mark          ${hexOf(action.digest).slice(0, 16)}  to be removed after ${action.removeAfter}`;
    case 'remove':
      return `remove        ${hexOf(action.digest).slice(0, 16)}  marked until ${action.removeAfter}`;
    case 'unmark':
      return `unmark        ${hexOf(action.digest).slice(0, 16)}`;
    case 'abort-upload':
      return `abort upload  ${action.key.slice(-64, -48)}`;
    case 'forget':
      return `forget        ${action.key}`;
  }
}
