import { z } from 'zod';
import type { Secret } from '../core/secret.ts';
import { GiB } from '../core/sizes.ts';
import { ArtifactError } from './errors.ts';
import { spare } from './marks.ts';
import { digestSchema, type Facts, factsSchema, mediaTypes } from './model.ts';
import { checkName, checkVersion, type Digest, hexOf } from './names.ts';
import { type Place, parseDocument, readBytes, sha256 } from './place.ts';
import { versionDigest } from './read.ts';
import { newTicket, parseTicket, unusable } from './tickets.ts';
import { isThere } from './upload.ts';
import { type MadeVersion, makeVersion, sameVersion } from './version.ts';

/** S3 takes no more in one request, and a signed URL is one request. */
const MOST = 5 * GiB;
const LONGEST_GRANT = 86_400;

/** One version that somebody without keys may make. */
export interface GrantRequest extends Omit<Facts, 'kind' | 'labels'> {
  readonly kind?: string | undefined;
  readonly labels?: Facts['labels'] | undefined;
  readonly name: string;
  readonly version: string;
  readonly content: {
    readonly digest: Digest;
    /** Bytes, at most 5 GiB. */
    readonly size: number;
    readonly mediaType: string;
    readonly title: string;
  };
  /** 1 to 86,400. */
  readonly expiresSeconds: number;
}

export interface Grant {
  /** Makes the version, once the content is there: `finishUpload`. */
  readonly ticket: Secret;
  /** ISO 8601; of URL and ticket. */
  readonly expires: string;
  /** What to send; undefined: the store has this content, nothing has to be sent. */
  readonly upload:
    | {
        readonly method: 'PUT';
        readonly url: string;
        /** They are signed: another size or digest is refused. */
        readonly headers: Readonly<Record<string, string>>;
      }
    | undefined;
}

const grantSchema = z.object({
  schemaVersion: z.literal(1),
  ...factsSchema.shape,
  name: z.string(),
  version: z.string(),
  content: z.object({
    digest: digestSchema,
    size: z.int().min(0).max(MOST),
    mediaType: z.enum([mediaTypes.tar, mediaTypes.file]),
    title: z.string().min(1).max(255),
  }),
  expires: z.iso.datetime(),
});

/**
 * Lets somebody without keys make one version: a URL that takes exactly these bytes at exactly this key, and a ticket that
 * turns them into exactly this version. Both end at the same time; the ticket may be used again until then, which changes nothing.
 * @throws ArtifactError `invalid`, `version-exists`, `condemned`, `no-signed-uploads`
 */
export async function grantUpload(place: Place, request: GrantRequest): Promise<Grant> {
  const { client, bucket, layout, clock, tenant } = place;
  const { content, expiresSeconds } = request;
  if (!Number.isInteger(expiresSeconds) || expiresSeconds < 1 || expiresSeconds > LONGEST_GRANT) {
    throw new ArtifactError('invalid', 'an upload can be granted for 1 second to 1 day', {
      advice: 'grant it for a shorter time, when it is needed',
    });
  }
  const expires = new Date(clock.now() + expiresSeconds * 1000).toISOString();
  const { secret, id } = newTicket('upload', tenant);
  const key = layout.upload(id);
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 1,
      kind: request.kind ?? 'bundle',
      labels: request.labels ?? {},
      revision: request.revision,
      creator: request.creator,
      name: checkName(request.name),
      version: checkVersion(request.version),
      content,
      expires,
    }),
  );
  const parsed = grantSchema.safeParse(JSON.parse(bytes.toString()));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ArtifactError(
      'invalid',
      `this cannot be granted: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
      {
        subject: request.name,
        advice: 'at most 5 GiB in a signed upload; larger content is pushed with keys, in parts',
      },
    );
  }
  const described = describe(parsed.data, expires);
  // What is there as something else can never be finished: said now and not when all is sent.
  if ((await versionDigest(place, described.name, described.version)) !== undefined) {
    await sameVersion(place, described);
  }
  await spare(place, content.digest);
  await proveSignedDigests(place);
  const there = await isThere(place, content);
  await client.put({ bucket, key, body: { bytes }, contentType: 'application/json' });
  if (there) return { ticket: secret, expires, upload: undefined };
  const exactly = { size: content.size, sha256: hexOf(content.digest) };
  const url = client.presign({ method: 'PUT', bucket, key: layout.blob(content.digest), expiresSeconds, exactly });
  const headers = { 'content-length': String(exactly.size), 'x-amz-content-sha256': exactly.sha256 };
  return { ticket: secret, expires, upload: { method: 'PUT', url, headers } };
}

/**
 * Makes the version that a ticket is for. Whoever holds the ticket may have it done; it needs no keys of its own.
 * @throws ArtifactError `ticket`, `content-missing`, `version-exists`, `condemned`
 */
export async function finishUpload(place: Place, text: string): Promise<MadeVersion> {
  const { id } = parseTicket(text, 'upload');
  const key = place.layout.upload(id);
  const bytes = await readBytes(place, key);
  if (bytes === undefined) throw unusable('upload', 'it is unknown, or too old');
  const grant = parseDocument(grantSchema, bytes, key);
  if (Date.parse(grant.expires) <= place.clock.now()) throw unusable('upload', `it ended at ${grant.expires}`);
  await spare(place, grant.content.digest);
  if (!(await isThere(place, grant.content))) {
    throw new ArtifactError('content-missing', `the content of ${grant.name}:${grant.version} has not arrived`, {
      subject: `${grant.name}:${grant.version}`,
      advice: 'send it to the signed URL first, all of it, then finish again',
    });
  }
  return makeVersion(place, describe(grant, new Date(place.clock.now()).toISOString()));
}

function describe(grant: z.output<typeof grantSchema>, created: string) {
  const { name, version, content, kind, labels, revision, creator } = grant;
  return { name, version, content, kind, labels, revision, creator, created };
}

/** Until when a granted upload's content must stay. @throws ArtifactError `document` */
export function grantedUntil(bytes: Buffer, key: string): { readonly digest: Digest; readonly until: number } {
  const { content, expires } = parseDocument(grantSchema, bytes, key);
  return { digest: content.digest, until: Date.parse(expires) };
}

const proven = new WeakMap<object, Set<string>>();

/**
 * Proves that the provider refuses another body than a signed URL names, without which the URL would permit any bytes: other
 * bytes of the same length are sent to a URL of their own.
 * @throws ArtifactError `no-signed-uploads`
 */
async function proveSignedDigests({ client, bucket, layout, provider }: Place): Promise<void> {
  if (proven.get(client)?.has(bucket) === true) return;
  const key = `${layout.uploads}probe`;
  const named = hexOf(sha256('right'));
  const exactly = { size: 'other'.length, sha256: named };
  const url = client.presign({ method: 'PUT', bucket, key, expiresSeconds: 60, exactly });
  const answer = await fetch(url, { method: 'PUT', body: 'other', headers: { 'x-amz-content-sha256': named } });
  await answer.arrayBuffer();
  if (answer.ok) {
    await client.delete({ bucket, key });
    throw new ArtifactError('no-signed-uploads', `${provider.title} takes other bytes than a signed URL names`, {
      subject: bucket,
      advice: 'push with keys: bucketwright artifact push',
    });
  }
  // Anything but the refusal of this very body proves nothing.
  if (answer.status === 400) proven.set(client, (proven.get(client) ?? new Set()).add(bucket));
  else {
    throw new ArtifactError(
      'no-signed-uploads',
      `a signed upload was answered ${answer.status}, which proves nothing`,
      {
        subject: bucket,
        advice: 'check that the key may write below the prefix; else push with keys: bucketwright artifact push',
      },
    );
  }
}
