import { accessDenied } from '../access.ts';
import { xmlBody } from '../body.ts';
import { type S3Error, toS3Error } from '../errors.ts';
import { type Context, defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { checkKey } from '../target.ts';
import { checkVersion } from '../wire/refusals.ts';
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
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'item', why: 'each key is allowed or denied by itself and says so in the result' },
  body: xmlBody({ maxBytes: 4 * 1024 * 1024, required: true, checksums: 'required' }, parseDelete),
  handle: async ({ bucket }, context, { items, quiet }) => {
    await context.store.bucket(bucket);
    const failures = new Map<Item, S3Error>();
    const queue = items.values();
    const worker = async () => {
      for (const item of queue) {
        const failure = await deleteItem(bucket, item, context);
        if (failure !== undefined) failures.set(item, failure);
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
    return { items, quiet, failures };
  },
  write: ({ items, quiet, failures }) => {
    let content = '';
    for (const item of items) {
      const failure = failures.get(item);
      if (failure === undefined) {
        if (!quiet) {
          content += `<Deleted>${element('Key', item.key)}${optional('VersionId', item.versionId)}</Deleted>`;
        }
        continue;
      }
      content += `<Error>${element('Key', item.key)}${optional('VersionId', item.versionId)}${element('Code', failure.code)}${element('Message', failure.message)}</Error>`;
    }
    return xmlReply(xmlDocument('DeleteResult', content));
  },
});

async function deleteItem(bucket: string, item: Item, context: Context): Promise<S3Error | undefined> {
  try {
    const { key, versionId, etag } = item;
    checkKey(key);
    if (!(await context.allowed({ action: 's3:DeleteObject', bucket, key }))) throw accessDenied();
    checkVersion(versionId, key);
    const condition = etag === undefined ? undefined : { ifMatch: etag === '*' ? ('*' as const) : [etag] };
    await context.store.deleteObject({ bucket, key, condition });
    return undefined;
  } catch (error) {
    return toS3Error(error);
  }
}
