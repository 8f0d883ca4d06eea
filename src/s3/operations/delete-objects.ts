import type { DeletedObject } from '../../store/port.ts';
import { accessDenied } from '../access.ts';
import { xmlBody } from '../body.ts';
import { S3Error, toS3Error } from '../errors.ts';
import { type Context, defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { checkKey } from '../target.ts';
import { asksForBypass, bypassesGovernance } from '../wire/object-lock.ts';
import { checkVersionId } from '../wire/versions.ts';
import { fields, malformed, textOf, type XmlElement } from '../wire/xml-in.ts';
import { element, optional, xmlDocument } from '../wire/xml-out.ts';

const MAX_KEYS = 1000;
/** How many deletions run at once; they share the store's group commits. */
const CONCURRENCY = 64;

interface Item {
  readonly key: string;
  readonly versionId: string | undefined;
  readonly etag: string | undefined;
}

/** @throws S3Error `MalformedXML` */
export function parseDelete(root: XmlElement | undefined): {
  readonly items: readonly Item[];
  readonly quiet: boolean;
} {
  if (root?.name !== 'Delete') throw malformed();
  const items: Item[] = [];
  let quiet = false;
  for (const child of root.children) {
    if (child.name === 'Quiet') quiet = textOf(child).trim() === 'true';
    else if (child.name === 'Object') items.push(parseItem(child));
    else throw malformed();
  }
  if (items.length === 0 || items.length > MAX_KEYS) throw malformed();
  return { items, quiet };
}

function parseItem(object: XmlElement): Item {
  const { Key, VersionId, ETag } = fields(object, ['Key', 'VersionId', 'ETag', 'LastModifiedTime', 'Size']);
  const key = textOf(Key);
  if (key === '') throw malformed();
  return {
    key,
    versionId: VersionId === undefined ? undefined : textOf(VersionId),
    etag:
      ETag === undefined
        ? undefined
        : textOf(ETag)
            .trim()
            .replace(/^"(.*)"$/, '$1'),
  };
}

export const deleteObjects = defineOperation({
  name: 'DeleteObjects',
  route: { method: 'POST', scope: 'bucket', query: { delete: true } },
  parse: ({ bucket, headers }) => ({ bucket, bypass: asksForBypass(headers) }),
  access: { by: 'item', why: 'each key is allowed or denied by itself and says so in the result' },
  body: xmlBody({ maxBytes: 4 * 1024 * 1024, required: true, checksums: 'required' }, parseDelete),
  handle: async ({ bucket, bypass }, context, { items, quiet }) => {
    await context.store.bucket(bucket);
    const outcomes = new Map<Item, DeletedObject | S3Error>();
    const queue = items.values();
    const worker = async () => {
      for (const item of queue) {
        outcomes.set(item, await deleteItem(bucket, item, bypass, context));
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
    return { items, quiet, outcomes };
  },
  write: ({ items, quiet, outcomes }) => {
    let content = '';
    for (const item of items) {
      const outcome = outcomes.get(item);
      const name = element('Key', item.key) + optional('VersionId', item.versionId);
      if (outcome instanceof S3Error) {
        content += `<Error>${name}${element('Code', outcome.code)}${element('Message', outcome.message)}</Error>`;
      } else if (!quiet) {
        content += `<Deleted>${name}${markerXml(outcome)}</Deleted>`;
      }
    }
    return xmlReply(xmlDocument('DeleteResult', content));
  },
});

/** The delete marker that was made, or was what was deleted. */
function markerXml(outcome: DeletedObject | undefined): string {
  if (outcome === undefined || !outcome.deleteMarker) return '';
  return element('DeleteMarker', true) + optional('DeleteMarkerVersionId', outcome.versionId);
}

async function deleteItem(
  bucket: string,
  item: Item,
  bypass: boolean,
  context: Context,
): Promise<DeletedObject | S3Error> {
  try {
    const { key, versionId, etag } = item;
    checkKey(key);
    const action = versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
    if (!(await context.allowed({ action, bucket, key, versionId }))) throw accessDenied();
    checkVersionId(versionId);
    const condition = etag === undefined ? undefined : { ifMatch: etag === '*' ? ('*' as const) : [etag] };
    const bypassGovernance = await bypassesGovernance(bypass, bucket, key, context);
    return await context.store.deleteObject({ bucket, key, versionId, condition, bypassGovernance });
  } catch (error) {
    return toS3Error(error);
  }
}
