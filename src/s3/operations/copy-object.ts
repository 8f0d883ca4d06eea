import type { CopyObject } from '../../store/port.ts';
import { parseAclHeaders } from '../acl/headers.ts';
import { newObjectAcl } from '../acl/written.ts';
import { noBody } from '../body.ts';
import { parseAlgorithm } from '../digests.ts';
import { invalidArgument, S3Error } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { copyContent } from '../sse/copy.ts';
import { customerKeyHeaders, parseCustomerKey } from '../sse/customer-key.ts';
import { requireSameKey } from '../sse/kept.ts';
import { attributeChecks, parseStorageClass, storedHeaders, userMetadata } from '../wire/attributes.ts';
import { checksumXml } from '../wire/complete-upload.ts';
import { copySourceConditions, evaluate, writeCondition } from '../wire/conditions.ts';
import { asSourceError, parseCopySource, sourceCheck, sourceVersionHeader } from '../wire/copy-source.ts';
import { isoDate } from '../wire/dates.ts';
import { expirationHeaders } from '../wire/lifecycle-headers.ts';
import { parseLockHeaders } from '../wire/object-lock.ts';
import { refuseUnsupportedWrite } from '../wire/refusals.ts';
import { parseTagHeader } from '../wire/tags.ts';
import { textOfHeader } from '../wire/text.ts';
import { newVersionHeader } from '../wire/versions.ts';
import { escapeXml, xmlDocument } from '../wire/xml-out.ts';

/** The largest object that CopyObject copies; above it S3 wants UploadPartCopy. */
const MAX_BYTES = 5 * 1024 ** 3;

export const copyObject = defineOperation({
  name: 'CopyObject',
  route: { method: 'PUT', scope: 'object', header: { 'x-amz-copy-source': true } },
  parse: ({ bucket, key, headers }) => {
    refuseUnsupportedWrite(headers);
    const source = parseCopySource(headers);
    const replaceMetadata = directive('x-amz-metadata-directive', headers['x-amz-metadata-directive']) === 'REPLACE';
    const replaceTags = directive('x-amz-tagging-directive', headers['x-amz-tagging-directive']) === 'REPLACE';
    const storageClass = parseStorageClass(headers);
    const redirect = headers['x-amz-website-redirect-location'] !== undefined;
    const keys = { source: parseCustomerKey(headers, 'source'), target: parseCustomerKey(headers) };
    const encryption = keys.source ?? keys.target;
    // Copying an older version onto its object is how it is brought back.
    const onItself = source.bucket === bucket && source.key === key && source.versionId === undefined;
    if (onItself && !replaceMetadata && storageClass === undefined && !redirect && encryption === undefined) {
      throw new S3Error(
        'InvalidRequest',
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
      );
    }
    const algorithm = headers['x-amz-checksum-algorithm'];
    const tagging = textOfHeader(String(headers['x-amz-tagging'] ?? ''));
    return {
      keys,
      source,
      bucket,
      key,
      attributes: {
        ...(replaceMetadata ? { headers: storedHeaders(headers), metadata: userMetadata(headers) } : {}),
        ...(replaceTags ? { tags: parseTagHeader(tagging) } : {}),
        storageClass: storageClass ?? 'STANDARD',
        ...parseLockHeaders(headers),
      },
      checksumAlgorithm:
        algorithm === undefined ? undefined : parseAlgorithm('x-amz-checksum-algorithm', String(algorithm)),
      sourceConditions: copySourceConditions(headers),
      condition: writeCondition(headers),
      acl: parseAclHeaders(headers),
    };
  },
  access: {
    by: 'checks',
    of: ({ source, bucket, key, attributes }) => [
      sourceCheck(source),
      // Without REPLACE the copy has its source's tags, whatever the header says.
      { action: 's3:PutObject', bucket, key, tags: attributes.tags ?? [] },
      ...attributeChecks({ ...attributes, tags: attributes.tags ?? [] }, bucket, key),
    ],
  },
  body: noBody,
  handle: async ({ sourceConditions, keys, acl, ...copy }, context) => {
    const { store } = context;
    let sourceVersion: string | undefined;
    const request: CopyObject = {
      ...copy,
      // A copy never takes its source's list.
      attributes: { ...copy.attributes, acl: await newObjectAcl(acl, copy.bucket, copy.key, context) },
      accept(source) {
        sourceVersion = source.versionId;
        if (evaluate(sourceConditions, source) !== 'holds') throw new S3Error('PreconditionFailed');
        if (source.size > MAX_BYTES) {
          throw new S3Error(
            'InvalidRequest',
            `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_BYTES}`,
          );
        }
        requireSameKey(source.sse, keys.source);
      },
    };
    const byContent = keys.source !== undefined || keys.target !== undefined;
    const copying = byContent ? copyContent(store, request, keys) : store.copyObject(request);
    const made = await copying.catch((error: unknown) => {
      throw asSourceError(error);
    });
    return { made, sourceVersion, expiration: await expirationHeaders(store, made) };
  },
  write: ({ made: { modified, etag, checksum, versionId }, sourceVersion, expiration }, { keys }) =>
    xmlReply(
      xmlDocument(
        'CopyObjectResult',
        `<LastModified>${isoDate(modified)}</LastModified><ETag>&quot;${escapeXml(etag)}&quot;</ETag>${checksumXml(checksum)}`,
      ),
      [
        ...sourceVersionHeader(sourceVersion),
        ...newVersionHeader(versionId),
        ...customerKeyHeaders(keys.target),
        ...expiration,
      ],
    ),
});

function directive(name: string, header: string | string[] | undefined): 'COPY' | 'REPLACE' {
  const value = header ?? 'COPY';
  if (value !== 'COPY' && value !== 'REPLACE') throw invalidArgument(name, String(value), `Unknown ${name}.`);
  return value;
}
