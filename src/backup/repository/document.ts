import { z } from 'zod';
import { BackupError } from '../errors.ts';
import { pack, unpack } from './codec.ts';
import { changed, type SealedKind, seal, unseal } from './sealed.ts';

const head = z.tuple([
  z.enum(['none', 'deflate', 'zstd']),
  z.coerce
    .number()
    .int()
    .min(0)
    .max(1 << 30),
]);

/** A JSON document, packed and sealed. Which codec, and how long it was, are within the seal: `codec length\n`. */
export async function sealDocument(master: Buffer, kind: SealedKind, content: unknown): Promise<Buffer> {
  const plain = json(content);
  const packed = await pack(plain);
  return seal(master, kind, Buffer.concat([Buffer.from(`${packed.codec} ${plain.length}\n`), packed.bytes]));
}

/** @throws BackupError `damaged`; `repository-format` for a form that a newer release may have written */
export async function openDocument<T>(
  master: Buffer,
  kind: SealedKind,
  bytes: Buffer,
  key: string,
  schema: z.ZodType<T>,
): Promise<T> {
  const opened = unseal(master, kind, bytes, key);
  const line = opened.subarray(0, opened.indexOf(10)).toString('latin1');
  const found = head.safeParse(line.split(' '));
  if (!found.success) throw changed(key, 'its first line is unknown');
  const [codec, length] = found.data;
  const plain = await unpack(codec, opened.subarray(line.length + 1), length);
  const content = schema.safeParse(parseJson(plain, key));
  if (content.success) return content.data;
  throw new BackupError('repository-format', `${key} is of a form that this release does not know`, {
    subject: key,
    advice: 'use the release of bucketwright that wrote it, or a newer one',
  });
}

export const json = (content: unknown): Buffer => Buffer.from(JSON.stringify(content), 'utf8');

/** @throws BackupError `damaged` */
export function parseJson(bytes: Buffer, subject: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw changed(subject, 'it is no JSON', error);
  }
}
