import type { Tags } from '../../store/port.ts';
import { invalidArgument, S3Error } from '../errors.ts';
import { percentDecode } from './text.ts';
import { fields, malformed, parseXml, textOf, type XmlElement } from './xml-in.ts';
import { element } from './xml-out.ts';

const MAX_TAGS = 10;
const MAX_BUCKET_TAGS = 50;
/** In UTF-16 units, as S3 counts. */
const MAX_KEY = 128;
const MAX_VALUE = 256;
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/**
 * Holds a tag set to S3's rules (User Guide, "Categorizing your storage using tags").
 * @throws S3Error `InvalidTag`
 */
export function checkTags(tags: Tags, max = MAX_TAGS): Tags {
  if (tags.length > max) {
    throw invalidTag(`${max === MAX_TAGS ? 'Object' : 'Bucket'} tags cannot be greater than ${max}`);
  }
  const keys = new Set<string>();
  for (const [key, value] of tags) {
    if (key === '' || key.length > MAX_KEY || !ALLOWED.test(key) || /^aws:/i.test(key)) {
      throw invalidTag('The TagKey you have provided is invalid', key);
    }
    if (value.length > MAX_VALUE || !ALLOWED.test(value)) {
      throw invalidTag('The TagValue you have provided is invalid', key);
    }
    if (keys.has(key)) throw invalidTag('Cannot provide multiple Tags with the same key', key);
    keys.add(key);
  }
  return tags;
}

/**
 * `x-amz-tagging`: a query string.
 * @throws S3Error `InvalidArgument`, `InvalidTag`
 */
export function parseTagHeader(header: string): Tags {
  const tags: (readonly [string, string])[] = [];
  for (const pair of header.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const key = percentDecode(equals === -1 ? pair : pair.slice(0, equals), 'space');
    const value = equals === -1 ? '' : percentDecode(pair.slice(equals + 1), 'space');
    if (key === undefined || value === undefined) {
      throw invalidArgument(
        'x-amz-tagging',
        header,
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters.",
      );
    }
    tags.push([key, value]);
  }
  return checkTags(tags);
}

/**
 * The body of PutObjectTagging.
 * @throws S3Error `MalformedXML`, `InvalidTag`
 */
export function parseTagging(root: XmlElement | undefined): Tags {
  return checkTags(tagSet(root));
}

/**
 * The body of PutBucketTagging: a bucket may have more tags.
 * @throws S3Error `MalformedXML`, `InvalidTag`
 */
export function parseBucketTagging(root: XmlElement | undefined): Tags {
  return checkTags(tagSet(root), MAX_BUCKET_TAGS);
}

function tagSet(root: XmlElement | undefined): Tags {
  if (root?.name !== 'Tagging') throw malformed();
  const { TagSet } = fields(root, ['TagSet']);
  if (TagSet === undefined) throw malformed();
  return TagSet.children.map((tag) => {
    if (tag.name !== 'Tag') throw malformed();
    const { Key, Value } = fields(tag, ['Key', 'Value']);
    return [textOf(Key), textOf(Value)] as const;
  });
}

/**
 * A form's `tagging` field, a Tagging document, as the header with which a PUT says the same.
 * @throws S3Error `MalformedXML`, `InvalidTag`
 */
export function taggingHeader(xml: string): string {
  const tags = parseTagging(parseXml(Buffer.from(xml)));
  return tags.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`).join('&');
}

/** By key, as S3 lists them. */
export function sortedTags(tags: Tags): Tags {
  return tags.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** The content of a Tagging document. */
export function taggingXml(tags: Tags): string {
  const set = tags.map(([key, value]) => `<Tag>${element('Key', key)}${element('Value', value)}</Tag>`).join('');
  return `<TagSet>${set}</TagSet>`;
}

function invalidTag(message: string, key?: string): S3Error {
  return new S3Error('InvalidTag', message, key === undefined ? {} : { elements: { TagKey: key } });
}
