import type { ObjectClient } from '../../client/index.ts';

/** Folders directly below a prefix: a stream's in Loki, a block's in Tempo. */
export async function foldersBelow(client: ObjectClient, bucket: string, prefix: string): Promise<ReadonlySet<string>> {
  const folders = new Set<string>();
  for await (const entry of client.list({ bucket, prefix, delimiter: '/' })) {
    if (entry.kind === 'prefix') folders.add(entry.prefix);
  }
  return folders;
}

/** Objects below folders that were not there before, of which `counts` says yes; undefined while there are none. */
export async function newObjects(
  client: ObjectClient,
  bucket: string,
  prefix: string,
  before: ReadonlySet<string>,
  counts: (key: string) => boolean,
): Promise<readonly string[] | undefined> {
  for (const folder of await foldersBelow(client, bucket, prefix)) {
    if (before.has(folder)) continue;
    const keys: string[] = [];
    for await (const entry of client.list({ bucket, prefix: folder })) {
      if (entry.kind === 'object') keys.push(entry.key);
    }
    if (keys.some(counts)) return keys;
  }
  return undefined;
}
