import { ArtifactError } from './errors.ts';
import { type Digest, hexOf } from './names.ts';

/**
 * Where things lie below a store's root (docs/reference/artifact-layout.md). A name's slashes become `__`, which no name
 * holds, so that one LIST with a delimiter answers the names.
 */
export function layoutBelow(root: string) {
  const nameRoot = (name: string) => `${root}names/${name.replaceAll('/', '__')}/`;
  return {
    root,
    blobs: `${root}blobs/sha256/`,
    blob: (digest: Digest) => `${root}blobs/sha256/${hexOf(digest)}`,
    names: `${root}names/`,
    /** The name that a common prefix of `names` stands for; undefined for what is not ours. */
    nameOf: (prefix: string) => {
      const step = prefix.startsWith(`${root}names/`) ? prefix.slice(`${root}names/`.length) : '';
      return /^[a-z0-9._-]+\/$/.test(step) ? step.slice(0, -1).replaceAll('__', '/') : undefined;
    },
    versions: (name: string) => `${nameRoot(name)}versions/`,
    version: (name: string, version: string) => `${nameRoot(name)}versions/${version}`,
    channels: (name: string) => `${nameRoot(name)}channels/`,
    channel: (name: string, channel: string) => `${nameRoot(name)}channels/${channel}/`,
    entry: (name: string, channel: string, number: number) =>
      `${nameRoot(name)}channels/${channel}/${entryName(number)}`,
    /** What is attached to a manifest: signatures, statements, bills of materials; the last step is their own digest. */
    attached: (name: string, to: Digest) => `${nameRoot(name)}attached/${hexOf(to)}/`,
    attachment: (name: string, to: Digest, kind: string, own: Digest) =>
      `${nameRoot(name)}attached/${hexOf(to)}/${kind}/${hexOf(own)}`,
    uploads: `${root}uploads/`,
    /** An upload that was granted; the id is the SHA-256 of its ticket. */
    upload: (id: string) => `${root}uploads/${id}`,
    links: `${root}links/`,
    /** A link that the HTTP API serves; the id is the SHA-256 of its ticket. */
    link: (id: string) => `${root}links/${id}`,
    /** Made by whoever uses a link that can be used once. */
    linkUsed: (id: string) => `${root}links/${id}-used`,
    marks: `${root}gc/marks/`,
    /** Where gc notes that content will be removed. */
    mark: (digest: Digest) => `${root}gc/marks/${hexOf(digest)}`,
  };
}

export type Layout = ReturnType<typeof layoutBelow>;

const LAST = 999_999_999;

/**
 * The newest entry sorts first, so that one LIST of one key finds it: what is left of 999,999,999, then the number itself
 * for people.
 * @param number from 1
 */
export function entryName(number: number): string {
  if (!Number.isInteger(number) || number < 1 || number > LAST) {
    throw new ArtifactError('document', `a channel's history has no entry ${number}`);
  }
  return `${String(LAST - number).padStart(9, '0')}-${number}`;
}

/** The number that `entryName` wrote; undefined for anything else. */
export function entryNumber(name: string): number | undefined {
  const [, left, number] = /^(\d{9})-([1-9]\d{0,8})$/.exec(name) ?? [];
  return left !== undefined && number !== undefined && Number(left) + Number(number) === LAST
    ? Number(number)
    : undefined;
}
