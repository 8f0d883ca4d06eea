import { randomBytes } from 'node:crypto';
import { ClientError, type Exchange, type RawRequest, readXml } from '../../client/index.ts';
import type { Place } from '../model.ts';
import type { Bait } from './model.ts';
import { send } from './send.ts';

/** Below each place, the folder of one audit. A dash at the front would be an option to careless scripts. */
export const AUDIT_FOLDER = 'bucketwright-audit';

/**
 * Lays out what others are to steal, by the tenant's own keys: an object and an upload with one part.
 * @throws ClientError when the tenant may not write to its own place
 */
export async function layBait(exchange: Exchange, tenant: string, place: Place, run: string): Promise<Bait> {
  const folder = `${place.prefix}${AUDIT_FOLDER}/${run}/${tenant}/`;
  const key = `${folder}bait`;
  const uploadKey = `${folder}unfinished`;
  const marker = `bait of ${tenant} ${randomBytes(12).toString('hex')}`;
  const { bucket } = place;
  await must(exchange, { method: 'PUT', bucket, key, query: '', body: marker });
  const created = await must(exchange, { method: 'POST', bucket, key: uploadKey, query: 'uploads=' });
  const uploadId = readXml(created.body)?.children.find(({ name }) => name === 'UploadId')?.text ?? '';
  const query = `partNumber=1&uploadId=${encodeURIComponent(uploadId)}`;
  const part = await must(exchange, { method: 'PUT', bucket, key: uploadKey, query, body: marker });
  const partEtag = (part.headers.etag ?? '').replaceAll('"', '');
  return { ...place, tenant, folder, key, marker, uploadId, uploadKey, partEtag };
}

/** The first thing of the victim's that is no longer as it was laid out; undefined: all of it is. */
export async function damageOf(
  exchange: Exchange,
  { bucket, key, marker, ...bait }: Bait,
): Promise<string | undefined> {
  const object = await send(exchange, { method: 'GET', bucket, key, query: '' });
  if (object.status !== 200) return `the object is gone (${object.status})`;
  if (object.body !== marker) return 'the object was overwritten';
  const query = `uploadId=${encodeURIComponent(bait.uploadId)}`;
  const parts = await send(exchange, { method: 'GET', bucket, key: bait.uploadKey, query });
  if (parts.status !== 200) return `the unfinished upload is gone (${parts.status})`;
  const listed = readXml(parts.body)?.children.filter(({ name }) => name === 'Part') ?? [];
  const etag = listed[0]?.children.find(({ name }) => name === 'ETag')?.text.replaceAll('"', '');
  if (listed.length !== 1 || etag !== bait.partEtag) return 'a part of the unfinished upload was replaced or added';
  const planted = await send(exchange, { method: 'GET', bucket, key: `${bait.folder}planted`, query: '' });
  return planted.status === 200 ? 'something was planted beside the object' : undefined;
}

/** Keys that an audit may leave in a place of its own tenant, when all goes well and when it does not. */
const LEFTOVERS = [
  'bait',
  'unfinished',
  'planted',
  'stolen',
  'hijacked',
  'works',
  'copy',
  'form',
  'form/bait',
  'parts',
];

/** Takes away what lies below the audit's folder; answers the keys that stay, which nobody may delete. */
export async function takeAway(exchange: Exchange, { bucket, folder, uploadId, uploadKey }: Bait): Promise<string[]> {
  const query = `uploadId=${encodeURIComponent(uploadId)}`;
  await send(exchange, { method: 'DELETE', bucket, key: uploadKey, query });
  const left: string[] = [];
  for (const name of LEFTOVERS) {
    const { status } = await send(exchange, { method: 'DELETE', bucket, key: `${folder}${name}`, query: '' });
    if (status >= 300 && status !== 404) left.push(`${bucket}/${folder}${name}`);
  }
  return left;
}

async function must(exchange: Exchange, request: RawRequest) {
  const answer = await send(exchange, request);
  if (answer.status < 300) return answer;
  const code = answer.status === 403 ? 'denied' : 'refused';
  throw new ClientError(code, `${request.method} ${request.bucket}/${request.key}: ${answer.status}`, {
    subject: `${request.bucket}/${request.key}`,
    status: answer.status,
    advice: "check the tenant's keys and places: it must be able to write to its own",
  });
}
