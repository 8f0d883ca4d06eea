import type { CompletePart, WriteCondition } from '../../src/store/index.ts';
import type { Demand, Operation } from './operations.ts';
import { currentOf, md5, type State } from './state.ts';

/** An operation with everything named that the server will be asked with. */
export interface Request {
  readonly operation: Operation;
  readonly versionId: string | undefined;
  readonly upload: { readonly bucket: string; readonly key: string; readonly uploadId: string };
  readonly parts: readonly CompletePart[];
  readonly condition: WriteCondition | undefined;
}

const NO_TAG = '0'.repeat(32);
const NO_UPLOAD = { bucket: 'one', key: 'a', uploadId: 'f'.repeat(32) };

/** Fills in what is known only now. Concurrent operations are all resolved before the first of them begins. */
export function resolve(state: State, operation: Operation): Request {
  const upload = 'upload' in operation ? nthUpload(state, operation.upload) : NO_UPLOAD;
  return {
    operation,
    versionId: 'version' in operation ? nthVersion(state, operation) : undefined,
    upload,
    parts: operation.kind === 'complete' ? partsOf(state, upload.uploadId, operation.parts) : [],
    condition: 'demand' in operation ? conditionOf(state, operation, upload) : undefined,
  };
}

function nthVersion(
  state: State,
  on: { readonly bucket: string; readonly key: string; readonly version: number | undefined },
): string | undefined {
  if (on.version === undefined) return undefined;
  const told = ['null', ...(state.told.get(`${on.bucket}/${on.key}`) ?? [])];
  return told[on.version % told.length];
}

/** Counted from the newest. */
function nthUpload(state: State, nth: number): Request['upload'] {
  const all = [...state.uploads];
  const [uploadId, upload] = all[all.length - 1 - (nth % Math.max(1, all.length))] ?? [];
  return uploadId === undefined || upload === undefined
    ? NO_UPLOAD
    : { bucket: upload.bucket, key: upload.key, uploadId };
}

function partsOf(state: State, uploadId: string, numbers: readonly number[]): readonly CompletePart[] {
  const stored = state.uploads.get(uploadId)?.parts;
  return numbers
    .toSorted((a, b) => a - b)
    .map((number) => {
      const part = stored?.get(number);
      return { number, etag: part === undefined ? NO_TAG : md5(part.bytes), checksum: undefined };
    });
}

function conditionOf(
  state: State,
  operation: Extract<Operation, { readonly demand: Demand }>,
  upload: Request['upload'],
): WriteCondition | undefined {
  const target = 'to' in operation ? operation.to : 'key' in operation ? operation : upload;
  switch (operation.demand) {
    case 'nothing':
      return undefined;
    case 'absent':
      return { ifNoneMatch: '*' };
    case 'any':
      return { ifMatch: '*' };
    case 'current':
      return { ifMatch: [currentOf(state, target.bucket, target.key)?.etag ?? NO_TAG] };
    case 'other':
      return { ifMatch: [NO_TAG] };
  }
}
