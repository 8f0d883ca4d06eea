import { isIP } from 'node:net';
import { ok, type Parsed, problem } from './parsed.ts';

/** The features that keep objects, in the order they are shown. */
export const uses = ['loki', 'tempo', 'backup', 'artifacts'] as const;
export type Use = (typeof uses)[number];

/** Where one feature keeps its objects. */
export interface BucketTarget {
  readonly bucket: string;
  /** Empty, or with exactly one slash at the end: `loki/`. */
  readonly prefix: string;
  /** The same without the slash, as Loki and Tempo want it: `loki`. */
  readonly prefixName: string;
  /** Whether somebody named the bucket; false: it is the default. */
  readonly explicit: boolean;
}

/** A bucket name that every provider accepts: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export function parseBucketName(text: string): Parsed<string> {
  if (text.length < 3 || text.length > 63) return problem('must be 3 to 63 characters long');
  if (!/^[a-z0-9.-]+$/.test(text)) return problem('must hold only lower-case letters, digits, dots and dashes');
  if (!/^[a-z0-9].*[a-z0-9]$/.test(text)) return problem('must start and end with a letter or digit');
  if (/\.\.|\.-|-\./.test(text)) return problem('must not hold two dots, or a dot beside a dash');
  if (isIP(text) !== 0) return problem('must not look like an IP address');
  if (/^(?:xn--|sthree-|amzn-s3-demo-)|(?:-s3alias|--ol-s3|\.mrap|--x-s3)$/.test(text)) {
    return problem('must not start or end with a sequence that S3 reserves');
  }
  return ok(text);
}

/** Names separated by commas, semicolons or spaces; each once. */
export function parseBucketList(text: string): Parsed<readonly string[]> {
  const names = new Set<string>();
  for (const name of text.split(/[\s,;]+/).filter((entry) => entry !== '')) {
    const parsed = parseBucketName(name);
    if (!parsed.ok) return problem(`"${name}" ${parsed.problem}`);
    names.add(parsed.value);
  }
  return ok([...names]);
}

/** Slashes at the ends are ours to add or strip: `/a/b/` and `a/b` are the same. Answers the form without them. */
export function parsePrefix(text: string): Parsed<string> {
  const name = text.replace(/^\/+|\/+$/g, '');
  if (Buffer.byteLength(name) > 512) return problem('must be at most 512 bytes long');
  if (!/^[0-9A-Za-z!_.'()/-]*$/.test(name)) return problem("must hold only letters, digits and - _ . ! ' ( ) /");
  if (name.split('/').some((part) => part === '.' || part === '..' || (part === '' && name !== ''))) {
    return problem('must not hold empty, "." or ".." steps');
  }
  return ok(name);
}

/** Loki 3 refuses any other character in `storage_prefix` and does not start. */
export function parseLokiPrefix(text: string): Parsed<string> {
  const name = text.replace(/^\/+|\/+$/g, '');
  return /^[0-9A-Za-z-]*$/.test(name)
    ? ok(name)
    : problem("must hold only letters, digits and dashes: Loki's own rule");
}

/** Whether the objects of one prefix can be among those of the other. Both without slashes at the ends. */
export function prefixesOverlap(a: string, b: string): boolean {
  return a === '' || b === '' || a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}
