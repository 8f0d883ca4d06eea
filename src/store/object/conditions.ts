import { StoreError } from '../errors.ts';
import type { WriteCondition } from '../port.ts';

/**
 * What a conditional write demands of the object that is there. An absent object cannot match: S3 answers NoSuchKey to
 * If-Match then (User Guide, "How to prevent object overwrites with conditional writes").
 * @throws StoreError `precondition-failed`, `no-such-key`
 */
export function checkCondition(
  condition: WriteCondition | undefined,
  current: { readonly etag: string } | undefined,
  where: { readonly bucket: string; readonly key: string },
): void {
  if (condition === undefined) return;
  const { ifMatch, ifNoneMatch } = condition;
  if (ifMatch !== undefined) {
    if (current === undefined) throw new StoreError('no-such-key', `there is no object ${where.key}`, where);
    if (!matches(ifMatch, current.etag)) throw failed(where);
  }
  if (ifNoneMatch !== undefined && current !== undefined && matches(ifNoneMatch, current.etag)) throw failed(where);
}

function matches(tags: '*' | readonly string[], etag: string): boolean {
  return tags === '*' || tags.includes(etag);
}

function failed(where: { readonly bucket: string; readonly key: string }): StoreError {
  return new StoreError('precondition-failed', `the object ${where.key} is not as the request demands`, where);
}
