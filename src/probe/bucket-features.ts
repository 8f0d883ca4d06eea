import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type BucketConfiguration, canonicalCors, canonicalLifecycle, type LifecycleRule } from '../bucket/index.ts';
import type { Feature } from '../providers/index.ts';
import { described, no, partial, refused, refusedByError, succeeded, unmeasured, type Verdict, yes } from './model.ts';
import type { Scratch } from './scratch.ts';

/** A configuration counts as known only when it is read back equal: some servers answer 200 and drop what they do not know. */
async function kept<A extends keyof BucketConfiguration>(
  scratch: Scratch,
  bucket: string,
  attribute: A,
  value: BucketConfiguration[A],
): Promise<Verdict> {
  try {
    await scratch.configuration.write(bucket, attribute, value);
    for (let waited = 0; ; waited += 2_000) {
      const back = await scratch.configuration.read(bucket, attribute);
      if (isDeepStrictEqual(plain(back), plain(value))) return yes('written and read back equal');
      if (waited >= scratch.profile.policy.settleMs) {
        return no(
          back === undefined
            ? 'accepted with a 200, and nothing is kept'
            : 'accepted with a 200, and not all of it is kept',
        );
      }
      await sleep(2_000);
    }
  } catch (error) {
    return refusedByError(error);
  }
}

/** Without the members that are undefined. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

export async function bucketTagging(scratch: Scratch, bucket: string): Promise<Verdict> {
  return kept(scratch, bucket, 'tags', { probe: 'of tags' });
}

export async function cors(scratch: Scratch, bucket: string): Promise<Verdict> {
  const rules = canonicalCors([
    { origins: ['https://probe.example'], methods: ['GET'], headers: [], exposeHeaders: [], maxAgeSeconds: 60 },
  ]);
  const written = await kept(scratch, bucket, 'cors', rules);
  if (written.state !== 'yes') return written;
  const ask = (origin: string) =>
    scratch.send({
      method: 'OPTIONS',
      bucket,
      key: 'cors',
      query: '',
      headers: { origin, 'access-control-request-method': 'GET' },
      anonymous: true,
    });
  const [friend, stranger] = [await ask('https://probe.example'), await ask('https://stranger.example')];
  const allows = (headers: Readonly<Record<string, string>>) => headers['access-control-allow-origin'] !== undefined;
  if (!succeeded(friend) || !allows(friend.headers))
    return partial(`kept, but a preflight is answered ${described(friend)}`);
  return allows(stranger.headers)
    ? partial('kept, but a preflight allows other origins too')
    : yes('kept; a preflight allows that origin and no other');
}

export async function encryption(scratch: Scratch): Promise<Verdict> {
  // A bucket of its own: some gateways refuse all later uploads.
  const bucket = await scratch.make();
  const written = await kept(scratch, bucket, 'encryption', { algorithm: 'AES256' });
  if (written.state !== 'yes') return written;
  const put = await scratch.send({ method: 'PUT', bucket, key: 'encrypted', query: '', body: 'x' });
  if (!succeeded(put)) return no(`kept, but then uploads are refused: ${described(put)}`);
  return put.headers['x-amz-server-side-encryption'] === 'AES256'
    ? yes('kept; an upload says that it was encrypted')
    : partial('kept, but an upload does not say that it was encrypted');
}

/** Enables versioning, which stays on. */
export async function versioning(scratch: Scratch, bucket: string): Promise<Verdict> {
  const written = await kept(scratch, bucket, 'versioning', 'enabled');
  if (written.state !== 'yes') return written;
  const key = 'versioned';
  const first = await scratch.send({ method: 'PUT', bucket, key, query: '', body: 'first' });
  await scratch.send({ method: 'PUT', bucket, key, query: '', body: 'second' });
  const id = first.headers['x-amz-version-id'];
  if (id === undefined) return no('kept, but an upload names no version');
  const old = await scratch.send({ method: 'GET', bucket, key, query: `versionId=${encodeURIComponent(id)}` });
  return old.body === 'first'
    ? yes('an overwritten version is read back')
    : no(`an overwritten version: ${described(old)}`);
}

const base: LifecycleRule = { id: 'probe', enabled: true, prefix: 'probe/', tags: {}, expireDays: 400 };

/** What a rule may hold beside a prefix and days, each measured alone. */
const members: readonly (readonly [Feature, LifecycleRule])[] = [
  ['lifecycle-abort-uploads', { ...base, abortUploadsDays: 400 }],
  ['lifecycle-noncurrent', { ...base, noncurrentDays: 400 }],
  ['lifecycle-keep-versions', { ...base, noncurrentDays: 400, noncurrentKeep: 5 }],
  ['lifecycle-sizes', { ...base, largerThan: 1_000 }],
  ['lifecycle-tags', { ...base, tags: { probe: 'yes' } }],
  ['lifecycle-dates', { ...base, expireDays: undefined, expireOn: '2099-01-01' }],
];

/** Whether rules are kept; that they run shows in days, which no probe has. */
export async function* lifecycle(scratch: Scratch, bucket: string): AsyncGenerator<readonly [Feature, Verdict]> {
  const rule = (value: LifecycleRule) => kept(scratch, bucket, 'lifecycle', canonicalLifecycle([value]));
  const plainRule = await rule(base);
  if (plainRule.state !== 'yes') {
    yield ['lifecycle', plainRule];
    for (const [feature] of members) yield [feature, { ...plainRule, found: `no lifecycle: ${plainRule.found}` }];
    yield ['lifecycle-transitions', { ...plainRule, found: `no lifecycle: ${plainRule.found}` }];
    return;
  }
  const dropped: string[] = [];
  for (const [feature, value] of members) {
    const verdict = await rule(value);
    if (verdict.state === 'no' && verdict.found.startsWith(ACCEPTED)) dropped.push(feature.replace('lifecycle-', ''));
    yield [feature, verdict];
  }
  yield ['lifecycle-transitions', await transitions(rule)];
  yield [
    'lifecycle',
    dropped.length === 0
      ? yes('rules are read back equal, and what is not known is refused; that they run takes days to see')
      : partial(`dropped with a 200, so that the rule deletes more than asked: ${dropped.join(', ')}`),
  ];
}

const ACCEPTED = 'accepted with a 200';

async function transitions(rule: (value: LifecycleRule) => Promise<Verdict>): Promise<Verdict> {
  const to = (storageClass: string) => rule({ ...base, transitions: [{ days: 300, storageClass }] });
  const real = await to('STANDARD_IA');
  if (real.state !== 'yes') return real;
  const invented = await to('PROBE_NO_SUCH_CLASS');
  return invented.state === 'yes'
    ? partial('any storage class is accepted, also one that does not exist')
    : yes('a rule to STANDARD_IA is kept, one to an unknown class refused');
}

/** A legal hold, put and taken off again: what retention would leave behind, it does not. */
export async function objectLock(scratch: Scratch, versioned: string): Promise<Verdict> {
  let bucket: string;
  try {
    bucket = await scratch.make({ objectLock: true });
    if ((await scratch.configuration.read(bucket, 'objectLock'))?.enabled !== true)
      return no('asked for with the bucket, and not there');
  } catch (error) {
    return refusedByError(error);
  }
  const put = await scratch.send({ method: 'PUT', bucket, key: 'held', query: '', body: 'x' });
  const id = put.headers['x-amz-version-id'];
  if (id === undefined) return no(`an upload names no version (${described(put)})`);
  const version = `versionId=${encodeURIComponent(id)}`;
  const hold = (status: 'ON' | 'OFF') =>
    scratch.send({
      method: 'PUT',
      bucket,
      key: 'held',
      query: `legal-hold=&${version}`,
      headers: { 'content-type': 'application/xml' },
      body: `<LegalHold xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>${status}</Status></LegalHold>`,
    });
  const on = await hold('ON');
  if (!succeeded(on)) return refused(on);
  try {
    const removal = await scratch.send({ method: 'DELETE', bucket, key: 'held', query: version });
    if (succeeded(removal)) return no('a held version was deleted all the same');
    if (removal.status !== 403 && removal.status !== 400)
      return unmeasured(`deleting a held version: ${described(removal)}`);
  } finally {
    await hold('OFF');
  }
  const later = await kept(scratch, versioned, 'objectLock', { enabled: true });
  return later.state === 'yes'
    ? yes('a held version cannot be deleted; an existing bucket can get it too')
    : partial(`a held version cannot be deleted; only when the bucket is created (later: ${later.found})`);
}
