import { after, type Eventually } from '../../core/eventually.ts';
import type { ObjectInfo } from '../../store/port.ts';
import type { Context } from '../operation.ts';
import { expirationHeaders } from './lifecycle-headers.ts';
import { lockHeaders } from './object-lock.ts';

/** What GET and HEAD tell beyond the object itself, flat: its lock, and when a rule will remove it. */
export function extraHeaders(
  versionId: string | undefined,
  info: ObjectInfo,
  context: Context,
): Eventually<readonly string[]> {
  const expiration = versionId === undefined ? expirationHeaders(context.store, info) : NONE;
  return after(lockHeaders(info, context), (lock) =>
    after(expiration, (expires) => (expires.length === 0 ? lock : [...lock, ...expires])),
  );
}

const NONE: readonly string[] = [];
