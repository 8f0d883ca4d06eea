import type { Request } from './resolve.ts';
import { bytesFor, type Outcome, objectLine, partBytes, versionLine } from './run.ts';
import {
  addVersion,
  currentOf,
  grouped,
  listed,
  md5,
  multipartEtag,
  removeVersion,
  replaceVersions,
  type State,
  type Upload,
  type Version,
  versionsOf,
} from './state.ts';

/** What must be answered. `made`: an id that nobody was told before. */
type Expected = Omit<Outcome, 'id'> & { readonly id?: string | undefined; readonly made?: boolean };

/**
 * Takes the model one operation further, with the ids that the server chose.
 * @returns undefined when the answer is the model's, else what the model says
 */
export function step(state: State, request: Request, answer: Outcome): Expected | undefined {
  const expected = answerOf(state, request, answer);
  const { made, ...rest } = expected;
  if (made !== true) return same(rest, answer) ? undefined : expected;
  const isNew = answer.id !== undefined && /^[0-9a-f]{32}$/.test(answer.id);
  return isNew && same({ ...rest, id: answer.id }, answer) ? undefined : expected;
}

function same(a: Outcome, b: Outcome): boolean {
  const plain = ({ error, id, etag, digest, tag, marker, deleted, lines }: Outcome) =>
    JSON.stringify([error, id, etag, digest, tag, marker, deleted, lines]);
  return plain(a) === plain(b);
}

function answerOf(state: State, request: Request, answer: Outcome): Expected {
  const { operation, versionId } = request;
  switch (operation.kind) {
    case 'create-bucket':
      if (state.buckets.has(operation.bucket)) return { error: 'bucket-exists' };
      state.buckets.set(operation.bucket, { versioning: undefined, objects: new Map() });
      return {};
    case 'restart':
    case 'time':
      return {};
    case 'part':
    case 'complete':
    case 'abort':
      return uploadAnswer(state, request, answer);
    default:
  }
  const bucket = state.buckets.get(operation.bucket);
  if (bucket === undefined) return { error: 'no-such-bucket' };
  switch (operation.kind) {
    case 'delete-bucket':
      return deleteBucket(state, operation.bucket);
    case 'versioning':
      bucket.versioning = operation.status;
      return {};
    case 'put': {
      const bytes = bytesFor(operation.letter, operation.size);
      return write(state, operation, request, answer, { ...contentOf(bytes), tag: '' });
    }
    case 'copy': {
      if (!state.buckets.has(operation.to.bucket)) return { error: 'no-such-bucket' };
      const source = find(state, operation.bucket, operation.key, versionId);
      if ('error' in source) return source;
      const { size, digest, tag } = source;
      return write(state, operation.to, request, answer, { size, digest, etag: digest, tag });
    }
    case 'delete':
      return versionId === undefined
        ? deleteObject(state, operation, request, answer)
        : deleteVersion(state, operation, versionId, request);
    case 'read': {
      const found = find(state, operation.bucket, operation.key, versionId);
      if ('error' in found) return found;
      const { digest, etag, tag } = found;
      return { id: shownId(state, operation.bucket, found), etag, digest, tag };
    }
    case 'tag': {
      const found = find(state, operation.bucket, operation.key, versionId);
      if ('error' in found) return found;
      const { bucket: name, key, tag } = operation;
      const changed = versionsOf(state, name, key).map((one) => (one.id === found.id ? { ...one, tag } : one));
      replaceVersions(state, name, key, changed);
      return { id: shownId(state, name, found) };
    }
    case 'begin':
      if (answer.id !== undefined) {
        const upload = {
          bucket: operation.bucket,
          key: operation.key,
          parts: new Map(),
          became: undefined,
          alive: true,
        };
        state.uploads.set(answer.id, upload);
      }
      return { made: true };
    case 'list': {
      const { prefix, delimiter } = operation;
      const lines = grouped(
        listed(state, operation.bucket, prefix),
        prefix,
        delimiter,
        ({ key, versions: [newest] }) => (newest === undefined || newest.marker ? [] : [objectLine(key, newest)]),
      );
      return { lines };
    }
    case 'list-versions': {
      const { prefix, delimiter } = operation;
      const lines = grouped(listed(state, operation.bucket, prefix), prefix, delimiter, ({ key, versions }) =>
        versions.map((version, index) => versionLine(key, version, index === 0)),
      );
      return { lines };
    }
  }
}

function contentOf(bytes: string): { readonly size: number; readonly digest: string; readonly etag: string } {
  return { size: bytes.length, digest: md5(bytes), etag: md5(bytes) };
}

/** A bucket that never had versioning does not name versions. */
function shownId(state: State, bucket: string, version: Version): string | undefined {
  return state.buckets.get(bucket)?.versioning === undefined ? undefined : version.id;
}

function find(state: State, bucket: string, key: string, versionId: string | undefined): Version | { error: string } {
  if (versionId === undefined) return currentOf(state, bucket, key) ?? { error: 'no-such-key' };
  const found = versionsOf(state, bucket, key).find(({ id }) => id === versionId);
  if (found === undefined) return { error: 'no-such-version' };
  return found.marker ? { error: 'delete-marker' } : found;
}

/** The error that a condition makes of what is there. */
function refusal({ condition }: Request, there: { readonly etag: string } | undefined): string | undefined {
  if (condition?.ifMatch !== undefined) {
    if (there === undefined) return 'no-such-key';
    if (condition.ifMatch !== '*' && !condition.ifMatch.includes(there.etag)) return 'precondition-failed';
  }
  return condition?.ifNoneMatch !== undefined && there !== undefined ? 'precondition-failed' : undefined;
}

function write(
  state: State,
  { bucket, key }: { readonly bucket: string; readonly key: string },
  request: Request,
  answer: Outcome,
  content: Omit<Version, 'id' | 'marker'>,
): Expected {
  const error = refusal(request, currentOf(state, bucket, key));
  if (error !== undefined) return { error };
  const versioning = state.buckets.get(bucket)?.versioning;
  const id = versioning === 'Enabled' ? (answer.id ?? '') : 'null';
  addVersion(state, bucket, key, { ...content, id, marker: false });
  const { etag } = content;
  if (versioning === 'Enabled') return { etag, made: true };
  return { etag, id: versioning === undefined ? undefined : 'null' };
}

function deleteObject(
  state: State,
  { bucket, key }: { readonly bucket: string; readonly key: string },
  request: Request,
  answer: Outcome,
): Expected {
  const error = refusal(request, currentOf(state, bucket, key));
  if (error !== undefined) return { error };
  const versioning = state.buckets.get(bucket)?.versioning;
  if (versioning === undefined) {
    const deleted = currentOf(state, bucket, key) !== undefined;
    removeVersion(state, bucket, key, 'null');
    return { marker: false, deleted };
  }
  const id = versioning === 'Enabled' ? (answer.id ?? '') : 'null';
  addVersion(state, bucket, key, { id, marker: true, size: 0, digest: '', etag: '', tag: '' });
  const deleted = { marker: true, deleted: true };
  return versioning === 'Enabled' ? { made: true, ...deleted } : { id, ...deleted };
}

function deleteVersion(
  state: State,
  { bucket, key }: { readonly bucket: string; readonly key: string },
  versionId: string,
  request: Request,
): Expected {
  const found = versionsOf(state, bucket, key).find(({ id }) => id === versionId);
  // The entity tag of a delete marker is nobody's business; the store takes that of nothing.
  const error = refusal(request, found?.marker === true ? { etag: md5('') } : found);
  if (error !== undefined) return { error };
  removeVersion(state, bucket, key, versionId);
  return { id: versionId, marker: found?.marker ?? false, deleted: found !== undefined };
}

function deleteBucket(state: State, name: string): Expected {
  const begun = [...state.uploads.values()].some(({ bucket, alive }) => bucket === name && alive);
  if (begun || (state.buckets.get(name)?.objects.size ?? 0) > 0) return { error: 'bucket-not-empty' };
  state.buckets.delete(name);
  return {};
}

function uploadAnswer(state: State, request: Request, answer: Outcome): Expected {
  const { operation, upload: name } = request;
  if (!state.buckets.has(name.bucket)) return { error: 'no-such-bucket' };
  const upload = state.uploads.get(name.uploadId);
  if (operation.kind === 'complete' && upload?.became !== undefined) {
    const again = becameOf(state, upload);
    if (again !== undefined) return again;
  }
  if (upload === undefined || !upload.alive) return { error: 'no-such-upload' };
  if (operation.kind === 'part') {
    const bytes = partBytes(operation);
    upload.parts.set(operation.part, { number: operation.part, bytes });
    return { etag: md5(bytes) };
  }
  if (operation.kind === 'complete') return complete(state, upload, request, answer);
  upload.alive = false;
  return {};
}

/** Completed before: the same answer again, while the version is there. */
function becameOf(state: State, { bucket, key, became }: Upload): Expected | undefined {
  if (became === undefined) return undefined;
  const found =
    became.id === undefined
      ? currentOf(state, bucket, key)
      : versionsOf(state, bucket, key).find(({ id, marker }) => id === became.id && !marker);
  if (found === undefined || found.etag !== became.etag) return undefined;
  return { etag: found.etag, id: shownId(state, bucket, found) };
}

function complete(state: State, upload: Upload, request: Request, answer: Outcome): Expected {
  const chosen = request.parts.map(({ number, etag }) => ({ part: upload.parts.get(number), etag }));
  const parts = chosen.flatMap(({ part, etag }) => (part !== undefined && md5(part.bytes) === etag ? [part] : []));
  if (parts.length < chosen.length) return { error: 'invalid-part' };
  const bytes = parts.map((part) => part.bytes).join('');
  const content = { size: bytes.length, digest: md5(bytes), etag: multipartEtag(parts), tag: '' };
  const expected = write(state, upload, request, answer, content);
  if (expected.error === undefined) {
    upload.alive = false;
    upload.became = { etag: content.etag, id: expected.made === true ? answer.id : expected.id };
  }
  return expected;
}
