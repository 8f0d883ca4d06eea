import { answered, type LeanClient } from './lean-client.ts';

interface ListedVersion {
  readonly marker: boolean;
  readonly key: string;
  readonly id: string;
  readonly latest: boolean;
}

const ENTRY =
  /<(Version|DeleteMarker)><Key>([^<]+)<\/Key><VersionId>([^<]+)<\/VersionId><IsLatest>(true|false)<\/IsLatest>/g;

/**
 * The versions below a prefix as ListObjectVersions has them.
 * @throws Error when there are more than one page of them
 */
export async function listVersions(
  client: LeanClient,
  bucket: string,
  prefix: string,
): Promise<readonly ListedVersion[]> {
  const text = (await answered(client.send('GET', `${bucket}?versions=&prefix=${prefix}`), 200)).body.toString();
  if (!text.includes('<IsTruncated>false<')) throw new Error('more versions than one page holds');
  return Array.from(text.matchAll(ENTRY), ([, kind, key = '', id = '', latest]) => ({
    marker: kind === 'DeleteMarker',
    key,
    id,
    latest: latest === 'true',
  }));
}
