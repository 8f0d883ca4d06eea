import { entryNumber } from './layout.ts';
import type { Place } from './place.ts';

/** The names that have versions, in byte order: one LIST for each 1,000. */
export async function* listNames(place: Place): AsyncGenerator<string> {
  const { client, bucket, layout } = place;
  for await (const entry of client.list({ bucket, prefix: layout.names, delimiter: '/' })) {
    const name = entry.kind === 'prefix' ? layout.nameOf(entry.prefix) : undefined;
    if (name !== undefined) yield name;
  }
}

export interface ListedVersion {
  readonly version: string;
  /** Milliseconds since 1970 UTC, as the provider says. */
  readonly pushed: number | undefined;
}

/** A name's versions in byte order: one LIST for each 1,000. */
export async function* listVersions(place: Place, name: string): AsyncGenerator<ListedVersion> {
  const { client, bucket, layout } = place;
  const prefix = layout.versions(name);
  for await (const entry of client.list({ bucket, prefix })) {
    if (entry.kind === 'object') yield { version: entry.key.slice(prefix.length), pushed: entry.modified };
  }
}

/** A name's channels, in byte order. */
export async function* listChannels(place: Place, name: string): AsyncGenerator<string> {
  const { client, bucket, layout } = place;
  const prefix = layout.channels(name);
  for await (const entry of client.list({ bucket, prefix, delimiter: '/' })) {
    if (entry.kind === 'prefix') yield entry.prefix.slice(prefix.length, -1);
  }
}

/** How often a channel was moved, without reading its history. */
export async function lastNumber(place: Place, name: string, channel: string): Promise<number> {
  const { client, bucket, layout } = place;
  const prefix = layout.channel(name, channel);
  for await (const entry of client.list({ bucket, prefix, pageSize: 1 })) {
    if (entry.kind === 'object') return entryNumber(entry.key.slice(prefix.length)) ?? 0;
  }
  return 0;
}
