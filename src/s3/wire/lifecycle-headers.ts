import type { Eventually } from '../../core/eventually.ts';
import { abortOf, expirationOf } from '../../store/lifecycle/due.ts';
import { decodeLifecycle } from '../../store/lifecycle/rules.ts';
import type { ObjectInfo, ObjectStore, UploadInfo } from '../../store/port.ts';
import { httpDate } from './dates.ts';

type Store = Pick<ObjectStore, 'bucketConfiguration' | 'instant'>;

/** `x-amz-expiration`: when a rule will remove the object, flat. Nothing when none does. For current versions only. */
export function expirationHeaders(store: Store, info: ObjectInfo): Eventually<readonly string[]> {
  if (store.instant === undefined) {
    return store.bucketConfiguration(info.bucket, 'lifecycle').then((text) => expirationBy(text, info));
  }
  return expirationBy(store.instant.bucketConfiguration(info.bucket, 'lifecycle'), info);
}

function expirationBy(text: string | undefined, info: ObjectInfo): readonly string[] {
  if (text === undefined) return NONE;
  const due = expirationOf(decodeLifecycle(text), info);
  if (due === undefined) return NONE;
  return ['x-amz-expiration', `expiry-date="${httpDate(due.at)}", rule-id="${encodeURIComponent(due.ruleId)}"`];
}

/** When a rule will abort the upload, flat. */
export async function abortHeaders(store: Store, upload: UploadInfo): Promise<readonly string[]> {
  const text = await store.bucketConfiguration(upload.bucket, 'lifecycle');
  if (text === undefined) return NONE;
  const due = abortOf(decodeLifecycle(text), upload);
  if (due === undefined) return NONE;
  return ['x-amz-abort-date', httpDate(due.at), 'x-amz-abort-rule-id', encodeURIComponent(due.ruleId)];
}

const NONE: readonly string[] = [];
