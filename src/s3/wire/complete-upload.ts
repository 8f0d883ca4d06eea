import { type Checksum, checksumAlgorithms } from '../../checksum/index.ts';
import type { CompletePart } from '../../store/port.ts';
import { parseChecksumValue } from '../digests.ts';
import { S3Error } from '../errors.ts';
import { fields, malformed, textOf, type XmlElement } from './xml-in.ts';

const MAX_PARTS = 10_000;
const PART_FIELDS = [
  'PartNumber',
  'ETag',
  'ChecksumCRC32',
  'ChecksumCRC32C',
  'ChecksumCRC64NVME',
  'ChecksumSHA1',
  'ChecksumSHA256',
] as const;

/**
 * The body of CompleteMultipartUpload.
 * @throws S3Error `MalformedXML`, `InvalidPartOrder`, `InvalidArgument`
 */
export function parseCompleteUpload(root: XmlElement | undefined): readonly CompletePart[] {
  if (root?.name !== 'CompleteMultipartUpload') throw malformed();
  if (root.children.length === 0 || root.children.length > MAX_PARTS) throw malformed();
  let last = 0;
  const parts = root.children.map((child) => {
    if (child.name !== 'Part') throw malformed();
    const given = fields(child, PART_FIELDS);
    const number = textOf(given.PartNumber).trim();
    if (!/^\d{1,9}$/.test(number)) throw malformed();
    const value = Number(number);
    if (value < 1 || value > MAX_PARTS) {
      throw new S3Error('InvalidArgument', 'PartNumber must be an integer between 1 and 10000, inclusive');
    }
    if (value < last) throw new S3Error('InvalidPartOrder');
    last = value;
    const etag = textOf(given.ETag)
      .trim()
      .replace(/^"(.*)"$/, '$1');
    return { number: value, etag, checksum: partChecksum(given) };
  });
  // A part that was sent again may be named again: the last one counts.
  return parts.filter((part, at) => parts[at + 1]?.number !== part.number);
}

function partChecksum(
  given: Readonly<Partial<Record<(typeof PART_FIELDS)[number], XmlElement>>>,
): Checksum | undefined {
  let found: Checksum | undefined;
  for (const algorithm of checksumAlgorithms) {
    const stated = given[`Checksum${algorithm}`];
    if (stated === undefined) continue;
    const value = textOf(stated).trim();
    if (found !== undefined || parseChecksumValue(algorithm, value) === undefined) throw malformed();
    found = { algorithm, type: 'FULL_OBJECT', value };
  }
  return found;
}

/** The elements that carry a checksum in results, in S3's order. */
export function checksumXml(checksum: Checksum | undefined): string {
  if (checksum === undefined) return '';
  return `<Checksum${checksum.algorithm}>${checksum.value}</Checksum${checksum.algorithm}><ChecksumType>${checksum.type}</ChecksumType>`;
}
