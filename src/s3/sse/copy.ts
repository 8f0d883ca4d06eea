import { type Digests, fullObjectChecksum } from '../../checksum/index.ts';
import type { CopyObject, ObjectInfo, ObjectStore } from '../../store/port.ts';
import type { CustomerKey } from './customer-key.ts';
import { decryptedObject } from './open.ts';
import { sealedBody } from './seal.ts';

/** The keys of a copy: neither means that the store may share the body. */
export interface CopyKeys {
  readonly source: CustomerKey | undefined;
  readonly target: CustomerKey | undefined;
}

/**
 * Copies by content, since the bytes on the disk change with the key.
 * @throws S3Error `InvalidRequest` for a source key that is missing or wrong
 */
export async function copyContent(store: ObjectStore, copy: CopyObject, keys: CopyKeys): Promise<ObjectInfo> {
  const stored = await store.openObject(copy.source.bucket, copy.source.key, copy.source.versionId);
  try {
    const { info } = stored;
    copy.accept(info);
    const object = decryptedObject(stored, keys.source);
    const algorithm = copy.checksumAlgorithm ?? info.checksum?.algorithm;
    const plain = {
      body:
        object.inline === undefined
          ? { chunks: object.read(0, info.size), length: info.size }
          : { bytes: object.inline },
      digests: algorithm === undefined ? [] : [algorithm],
      accept(digests: Digests) {
        const digest = algorithm === undefined ? undefined : digests.get(algorithm);
        return algorithm === undefined || digest === undefined ? undefined : fullObjectChecksum(algorithm, digest);
      },
    };
    const { headers, metadata, tags, storageClass } = info;
    return await store.putObject({
      headers,
      metadata,
      tags,
      storageClass,
      ...copy.attributes,
      bucket: copy.bucket,
      key: copy.key,
      condition: copy.condition,
      ...(keys.target === undefined ? plain : sealedBody(plain, keys.target)),
    });
  } finally {
    await stored.close();
  }
}
