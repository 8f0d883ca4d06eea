import type { Exchange } from '../../client/index.ts';
import type { Connection, Feature } from '../../providers/index.ts';
import type { BucketState } from './model.ts';
import { send } from './send.ts';

/** What attacks could change of a bucket's configuration, as far as the profile knows the words to be safe. */
const words: readonly (readonly [word: string, needs: Feature | undefined, root: RegExp, removable: boolean])[] = [
  // Before the policy, which an ACL takes away where it is put back (Hetzner).
  ['acl', undefined, /<AccessControlPolicy/, false],
  ['policy', 'bucket-policy', /^\s*\{/, true],
  ['lifecycle', 'lifecycle', /<LifecycleConfiguration/, true],
  ['cors', 'cors', /<CORSConfiguration/, true],
  ['tagging', 'bucket-tagging', /<Tagging/, true],
  ['versioning', 'versioning', /<VersioningConfiguration/, false],
  ['publicAccessBlock', 'public-access-block', /<PublicAccessBlockConfiguration/, true],
];

const supported = ({ provider }: Connection, needs: Feature | undefined) =>
  needs === undefined || provider.features[needs] === 'yes' || provider.features[needs] === 'partial';

/** By subresource, what the administrator reads there; absent: nothing is configured, or it may not look. */
export async function readState(exchange: Exchange, connection: Connection, bucket: string): Promise<BucketState> {
  const state = new Map<string, string>();
  for (const [word, needs, root] of words) {
    if (!supported(connection, needs)) continue;
    const answer = await send(exchange, { method: 'GET', bucket, query: `${word}=`, alone: true });
    if (answer.status === 200 && root.test(answer.body)) state.set(word, answer.body);
  }
  return state;
}

/**
 * Puts back what attacks changed.
 * @returns the subresources that were changed, each a leak
 */
export async function restoreState(
  exchange: Exchange,
  connection: Connection,
  bucket: string,
  before: BucketState,
): Promise<readonly string[]> {
  const after = await readState(exchange, connection, bucket);
  const changed: string[] = [];
  for (const [word, needs, , removable] of words) {
    if (!supported(connection, needs) || before.get(word) === after.get(word)) continue;
    changed.push(word);
    const body = before.get(word);
    if (body !== undefined) {
      const type = word === 'policy' ? 'application/json' : 'application/xml';
      await send(exchange, { method: 'PUT', bucket, query: `${word}=`, headers: { 'content-type': type }, body });
    } else if (removable) await send(exchange, { method: 'DELETE', bucket, query: `${word}=` });
  }
  return changed;
}
