import type { ObjectInfo } from '../../store/port.ts';
import { noBody } from '../body.ts';
import { invalidArgument } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { parseCustomerKey } from '../sse/customer-key.ts';
import { requireSameKey } from '../sse/kept.ts';
import { checksumXml } from '../wire/complete-upload.ts';
import { httpDate } from '../wire/dates.ts';
import { refuseEncryption } from '../wire/refusals.ts';
import { parseVersionId, versionHeader } from '../wire/versions.ts';
import { element, xmlDocument } from '../wire/xml-out.ts';

const KNOWN = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'];
const MAX_PARTS = 1000;

export const getObjectAttributes = defineOperation({
  name: 'GetObjectAttributes',
  route: { method: 'GET', scope: 'object', query: { attributes: true }, allows: ['versionId'] },
  parse: ({ bucket, key, query, headers }) => {
    refuseEncryption(headers);
    const header = String(headers['x-amz-object-attributes'] ?? '');
    const wanted = header.split(',').map((name) => name.trim());
    if (!wanted.every((name) => KNOWN.includes(name))) {
      throw invalidArgument('x-amz-object-attributes', header, 'Invalid attribute name specified.');
    }
    return {
      bucket,
      key,
      versionId: parseVersionId(query),
      customerKey: parseCustomerKey(headers),
      wanted: new Set(wanted),
      limit: Math.min(MAX_PARTS, number('x-amz-max-parts', headers['x-amz-max-parts'], MAX_PARTS)),
      after: number('x-amz-part-number-marker', headers['x-amz-part-number-marker'], 0),
    };
  },
  access: {
    by: 'checks',
    of: ({ bucket, key, versionId }) =>
      versionId === undefined
        ? [
            { action: 's3:GetObject', bucket, key },
            { action: 's3:GetObjectAttributes', bucket, key },
          ]
        : [
            { action: 's3:GetObjectVersion', bucket, key },
            { action: 's3:GetObjectVersionAttributes', bucket, key },
          ],
  },
  body: noBody,
  handle: async ({ bucket, key, versionId, customerKey }, { store }) => {
    const info = await store.objectInfo(bucket, key, versionId);
    requireSameKey(info.sse, customerKey);
    return info;
  },
  write: (info, { wanted, limit, after }) => {
    let content = '';
    // This is the one document in which S3 writes the entity tag without quotes.
    if (wanted.has('ETag')) content += element('ETag', info.etag);
    if (wanted.has('Checksum') && info.checksum !== undefined) {
      content += `<Checksum>${checksumXml(info.checksum)}</Checksum>`;
    }
    if (wanted.has('ObjectParts') && info.parts !== undefined) content += partsXml(info.parts, after, limit);
    if (wanted.has('StorageClass')) content += element('StorageClass', info.storageClass);
    if (wanted.has('ObjectSize')) content += element('ObjectSize', info.size);
    return xmlReply(xmlDocument('GetObjectAttributesResponse', content), [
      'Last-Modified',
      httpDate(info.modified),
      ...versionHeader(info.versionId),
    ]);
  },
});

function partsXml(parts: NonNullable<ObjectInfo['parts']>, after: number, limit: number): string {
  const rest = parts.filter((part) => part.number > after);
  const page = rest.slice(0, limit);
  // Parts are described only when they have checksums, as in S3.
  const described = page.filter((part) => part.checksum !== undefined);
  let content = element('PartsCount', parts.length) + element('PartNumberMarker', after);
  content += element('NextPartNumberMarker', page.at(-1)?.number ?? 0) + element('MaxParts', limit);
  content += element('IsTruncated', rest.length > page.length);
  for (const { number: partNumber, size, checksum } of described) {
    const sum = checksum === undefined ? '' : element(`Checksum${checksum.algorithm}`, checksum.value);
    content += `<Part>${element('PartNumber', partNumber)}${element('Size', size)}${sum}</Part>`;
  }
  return `<ObjectParts>${content}</ObjectParts>`;
}

function number(name: string, header: string | string[] | undefined, otherwise: number): number {
  if (header === undefined) return otherwise;
  const text = String(header);
  if (!/^\d{1,9}$/.test(text)) throw invalidArgument(name, text, `Provided ${name} not an integer or within range`);
  return Number(text);
}
