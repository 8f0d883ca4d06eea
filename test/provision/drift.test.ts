import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Attribute, BucketConfiguration, Json, LifecycleRule, PolicyDocument } from '../../src/bucket/index.ts';
import { type BucketClient, createBucketClient } from '../../src/client/index.ts';
import type { Finding } from '../../src/core/finding.ts';
import type { Connection } from '../../src/providers/index.ts';
import { applyPlan, driftFindings, isEmptyPlan, planProvisioning } from '../../src/provision/index.ts';
import type { Settings } from '../../src/settings/index.ts';
import { bucketName, type DisposableEndpoint } from '../support/endpoint.ts';
import { fullManifest, settingsFor } from './manifest.ts';
import { connectionTo, onEach } from './targets.ts';

/** One kind of change that somebody makes by hand, and what the check must say of it. */
interface Kind {
  readonly what: string;
  readonly attribute: Attribute | 'bucket';
  /** In a bucket with object lock. */
  readonly locked?: boolean;
  change(hand: Hand): Promise<void>;
  /** Part of `subject found`, of `expected` and of `why`; undefined where nothing must be reported as drift. */
  readonly said: readonly [found: RegExp, expected: RegExp, why: RegExp];
}

interface Hand {
  readonly client: BucketClient;
  readonly bucket: string;
  rules(edit: (rules: readonly LifecycleRule[]) => readonly LifecycleRule[]): Promise<void>;
  statements(edit: (statements: readonly Json[]) => readonly Json[]): Promise<void>;
}

const rule =
  (id: string, change: Partial<LifecycleRule>) =>
  ({ rules }: Hand) =>
    rules((all) => all.map((one) => (one.id === id ? { ...one, ...change } : one)));
const withoutRule =
  (id: string) =>
  ({ rules }: Hand) =>
    rules((all) => all.filter((one) => one.id !== id));
const statement =
  (sid: string, change: Readonly<Record<string, Json>>) =>
  ({ statements }: Hand) =>
    statements((all) => all.map((one) => (sidOf(one) === sid && isMap(one) ? { ...one, ...change } : one)));
const withoutStatement =
  (sid: string) =>
  ({ statements }: Hand) =>
    statements((all) => all.filter((one) => sidOf(one) !== sid));
const isMap = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const sidOf = (value: Json) => (isMap(value) ? value.Sid : undefined);
const write =
  <A extends Attribute>(attribute: A, value: BucketConfiguration[A]) =>
  ({ client, bucket }: Hand) =>
    client.write(bucket, attribute, value);
const clear =
  (attribute: Attribute) =>
  ({ client, bucket }: Hand) =>
    client.clear(bucket, attribute);

const cors = {
  origins: ['https://a.example'],
  methods: ['GET', 'PUT'],
  headers: ['x-a'],
  exposeHeaders: ['etag'],
  maxAgeSeconds: 3600,
};
const block = { blockPublicAcls: true, ignorePublicAcls: true, blockPublicPolicy: false, restrictPublicBuckets: false };
const beta = { AWS: 'arn:aws:iam:::user/p1002' };
const late = /stricter: the bucket; .*(cost|for ever|never)/;
const early = /stricter: the manifest; .*(lost|deleted|too early|although)/;
const open = /stricter: the manifest; .*(let in|denied|open|allowed)/;

const kinds: readonly Kind[] = [
  {
    what: 'the bucket is deleted',
    attribute: 'bucket',
    change: ({ client, bucket }) => client.remove(bucket),
    said: [/is missing/, /present/, /whatever writes to it fails/],
  },
  {
    what: 'versioning suspended',
    attribute: 'versioning',
    change: write('versioning', 'suspended'),
    said: [/versioning suspended/, /enabled/, /manifest; .*lost at once/],
  },
  {
    what: 'a rule expires sooner',
    attribute: 'lifecycle',
    change: rule('logs', { expireDays: 3 }),
    said: [/rule logs expireDays 3/, /30/, /manifest; objects go 27 days too early/],
  },
  {
    what: 'a rule expires later',
    attribute: 'lifecycle',
    change: rule('logs', { expireDays: 300 }),
    said: [/expireDays 300/, /30/, late],
  },
  {
    what: 'a rule is gone',
    attribute: 'lifecycle',
    change: withoutRule('logs'),
    said: [/rule logs is missing/, /deletes logs\/ after 30/, late],
  },
  {
    what: 'a rule is disabled',
    attribute: 'lifecycle',
    change: rule('logs', { enabled: false }),
    said: [/logs enabled false/, /true/, late],
  },
  {
    what: 'a disabled rule is enabled',
    attribute: 'lifecycle',
    change: rule('off', { enabled: true }),
    said: [/off enabled true/, /false/, early],
  },
  {
    what: 'the prefix is widened',
    attribute: 'lifecycle',
    change: rule('logs', { prefix: 'l' }),
    said: [/prefix l/, /logs\//, /manifest; the rule hits more/],
  },
  {
    what: 'the prefix is dropped',
    attribute: 'lifecycle',
    change: rule('logs', { prefix: '' }),
    said: [/prefix empty/, /logs\//, /manifest; the rule hits more/],
  },
  {
    what: 'the prefix is narrowed',
    attribute: 'lifecycle',
    change: rule('logs', { prefix: 'logs/a/' }),
    said: [/prefix logs\/a\//, /logs\//, /bucket; the rule leaves out/],
  },
  {
    what: 'the prefix is another',
    attribute: 'lifecycle',
    change: rule('logs', { prefix: 'data/' }),
    said: [/prefix data\//, /logs\//, /neither; the rule deletes at a wrong place/],
  },
  {
    what: 'old versions go sooner',
    attribute: 'lifecycle',
    change: rule('old', { noncurrentDays: 1 }),
    said: [/noncurrentDays 1/, /10/, early],
  },
  {
    what: 'old versions stay',
    attribute: 'lifecycle',
    change: withoutRule('old'),
    said: [/old is missing/, /old versions/, late],
  },
  {
    what: 'uploads are ended later',
    attribute: 'lifecycle',
    change: rule('abort', { abortUploadsDays: 70 }),
    said: [/abortUploadsDays 70/, /7/, late],
  },
  {
    what: 'uploads are never ended',
    attribute: 'lifecycle',
    change: withoutRule('abort'),
    said: [/abort is missing/, /ends uploads/, late],
  },
  {
    what: 'a tag condition is dropped',
    attribute: 'lifecycle',
    change: rule('tagged', { tags: {} }),
    said: [/tags \{\}/, /scratch/, /manifest; the rule hits more/],
  },
  {
    what: 'a tag condition is another',
    attribute: 'lifecycle',
    change: rule('tagged', { tags: { kind: 'gold' } }),
    said: [/gold/, /scratch/, /other objects/],
  },
  {
    what: 'the day is earlier',
    attribute: 'lifecycle',
    change: rule('dated', { expireOn: '2029-01-01' }),
    said: [/expireOn 2029/, /2030/, early],
  },
  {
    what: 'a rule does something else',
    attribute: 'lifecycle',
    change: rule('markers', { expireDeleteMarkers: undefined, expireDays: 1 }),
    said: [/expireDays 1/, /nothing/, early],
  },
  {
    what: 'all rules are deleted',
    attribute: 'lifecycle',
    change: clear('lifecycle'),
    said: [/is missing/, /./, late],
  },
  {
    what: 'every origin may use it',
    attribute: 'cors',
    change: write('cors', [{ ...cors, origins: ['*'] }]),
    said: [/origins \["\*"\]/, /a\.example/, /manifest; web pages may/],
  },
  {
    what: 'a method is added',
    attribute: 'cors',
    change: write('cors', [{ ...cors, methods: ['DELETE', 'GET', 'PUT'] }]),
    said: [/methods .*DELETE/, /GET/, /manifest; web pages may/],
  },
  {
    what: 'a method is missing',
    attribute: 'cors',
    change: write('cors', [{ ...cors, methods: ['GET'] }]),
    said: [/methods/, /PUT/, /bucket; .*refused by browsers/],
  },
  {
    what: 'the CORS rules are deleted',
    attribute: 'cors',
    change: clear('cors'),
    said: [/nothing/, /a\.example/, /refused by browsers/],
  },
  {
    what: 'browsers remember longer',
    attribute: 'cors',
    change: write('cors', [{ ...cors, maxAgeSeconds: 86_400 }]),
    said: [/86400/, /3600/, /./],
  },
  {
    what: 'a tag has another value',
    attribute: 'tags',
    change: write('tags', { team: 'media', tier: 'tin' }),
    said: [/tags tier "tin"/, /gold/, /bills/],
  },
  {
    what: 'a tag is gone',
    attribute: 'tags',
    change: write('tags', { team: 'media' }),
    said: [/tags tier nothing/, /gold/, /bills/],
  },
  {
    what: 'all tags are gone',
    attribute: 'tags',
    change: clear('tags'),
    said: [/tags team nothing/, /media/, /bills/],
  },
  {
    what: 'the policy is deleted',
    attribute: 'policy',
    change: clear('policy'),
    said: [/statement keep is missing/, /Deny/, /manifest; what it denied is open/],
  },
  {
    what: 'a Deny is gone',
    attribute: 'policy',
    change: withoutStatement('keep'),
    said: [/keep is missing/, /Deny/, open],
  },
  {
    what: 'an Allow is gone',
    attribute: 'policy',
    change: withoutStatement('read'),
    said: [/read is missing/, /Allow/, /bucket; .*shut out/],
  },
  {
    what: 'everybody is let in',
    attribute: 'policy',
    change: ({ bucket, statements }) =>
      statements((all) => [
        ...all,
        { Sid: 'world', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` },
      ]),
    said: [/world Allow everybody/, /no such/, /manifest; everybody in the world/],
  },
  {
    what: 'somebody else is let in',
    attribute: 'policy',
    change: ({ bucket, statements }) =>
      statements((all) => [
        ...all,
        { Effect: 'Allow', Principal: beta, Action: 's3:PutObject', Resource: `arn:aws:s3:::${bucket}/in/*` },
      ]),
    said: [/Allow AWS .*p1002: s3:putobject/, /no such/, open],
  },
  {
    what: 'an action is added to an Allow',
    attribute: 'policy',
    change: statement('read', { Action: ['s3:GetObject', 's3:PutObject'] }),
    said: [/read Allow.*putobject/, /getobject/, open],
  },
  {
    what: 'an action is taken from a Deny',
    attribute: 'policy',
    change: statement('keep', { Action: 's3:PutObject' }),
    said: [/keep Deny/, /deleteobject/, open],
  },
  {
    what: 'the resource is widened',
    attribute: 'policy',
    change: ({ bucket, ...hand }) =>
      statement('read', { Resource: [`arn:aws:s3:::${bucket}/shared/*`, `arn:aws:s3:::${bucket}/private/*`] })({
        bucket,
        ...hand,
      }),
    said: [/private/, /shared/, open],
  },
  {
    what: 'the principal is another',
    attribute: 'policy',
    change: statement('read', { Principal: { AWS: 'arn:aws:iam:::user/p1001:second' } }),
    said: [/p1001:second/, /p1002/, /neither; it speaks of others/],
  },
  {
    what: 'a condition is dropped',
    attribute: 'policy',
    change: statement('near', { Condition: {} }),
    said: [/near Allow/, /IpAddress/, open],
  },
  {
    what: 'a Deny becomes an Allow',
    attribute: 'policy',
    change: statement('keep', { Effect: 'Allow' }),
    said: [/keep Allow/, /Deny/, /what was denied is now allowed/],
  },
  {
    what: 'a public access switch is off',
    attribute: 'publicAccessBlock',
    change: write('publicAccessBlock', { ...block, blockPublicAcls: false }),
    said: [/blockPublicAcls false/, /true/, /manifest; a public policy or ACL/],
  },
  {
    what: 'a public access switch is on',
    attribute: 'publicAccessBlock',
    change: write('publicAccessBlock', { ...block, blockPublicPolicy: true }),
    said: [/blockPublicPolicy true/, /false/, /bucket; what should be public/],
  },
  {
    what: 'the public access block is gone',
    attribute: 'publicAccessBlock',
    change: clear('publicAccessBlock'),
    said: [/blockPublicAcls nothing/, /true/, /public/],
  },
  {
    what: 'the lock is shorter',
    attribute: 'objectLock',
    locked: true,
    change: write('objectLock', { enabled: true, retention: { mode: 'governance', days: 1 } }),
    said: [/governance 1 days/, /10 days/, /manifest; .*earlier than promised/],
  },
  {
    what: 'the lock is stronger',
    attribute: 'objectLock',
    locked: true,
    change: write('objectLock', { enabled: true, retention: { mode: 'compliance', days: 10 } }),
    said: [/compliance/, /governance/, /bucket; .*cannot be deleted/],
  },
  {
    what: 'the lock is gone',
    attribute: 'objectLock',
    locked: true,
    change: write('objectLock', { enabled: true }),
    said: [/no default retention/, /governance 10/, /manifest; .*earlier/],
  },
];

onEach('drift', (target) => {
  let endpoint: DisposableEndpoint;
  let connection: Connection;
  let client: BucketClient;
  beforeAll(async () => {
    endpoint = await target.start();
    connection = connectionTo(endpoint, target.name);
    client = createBucketClient(connection);
  }, 180_000);
  afterAll(async () => {
    client?.close();
    await endpoint?.[Symbol.asyncDispose]();
  });

  async function plan(settings: Settings) {
    const planned = await planProvisioning(settings, connection, client);
    expect(planned.problems).toEqual([]);
    return planned.plan;
  }

  async function apply(settings: Settings): Promise<void> {
    for await (const { error } of applyPlan(client, await plan(settings), { profile: connection.provider })) {
      if (error !== undefined) throw error;
    }
  }

  function handOn(bucket: string): Hand {
    return {
      client,
      bucket,
      rules: async (edit) => client.write(bucket, 'lifecycle', edit((await client.read(bucket, 'lifecycle')) ?? [])),
      statements: async (edit) => {
        const policy: PolicyDocument = (await client.read(bucket, 'policy')) ?? {};
        const statements = policy.Statement;
        await client.write(bucket, 'policy', {
          ...policy,
          Statement: edit(Array.isArray(statements) ? statements : []),
        });
      },
    };
  }

  test('30 kinds and more of changes by hand are each found, described and put right', async () => {
    const here = kinds.filter(({ attribute }) => attribute === 'bucket' || client.supports(attribute) !== 'no');
    if (target.name === 'ceph') expect(here.length).toBeGreaterThanOrEqual(30);
    const stack = bucketName('drift');
    for (const { what, change, said, locked } of here) {
      const bucket = bucketName('drift');
      const settings = settingsFor(endpoint, target.name, fullManifest(bucket, connection, locked, stack));
      await apply(settings);
      expect(isEmptyPlan(await plan(settings)), `${what}: before`).toBe(true);
      await change(handOn(bucket));
      const drifts = driftFindings(await plan(settings)).filter(({ status }) => status === 'fail');
      const [found, expected, why] = said;
      const fits = (one: Finding) =>
        one.subject.startsWith(`bucket ${bucket}`) &&
        found.test(`${one.subject} ${one.found}`) &&
        expected.test(one.expected ?? '') &&
        why.test(one.why ?? '');
      expect(drifts.some(fits), `${what}: ${JSON.stringify(drifts, null, 1)}`).toBe(true);
      await apply(settings);
      expect(isEmptyPlan(await plan(settings)), `${what}: after`).toBe(true);
    }
  }, 240_000);

  test('what nobody manages is left alone and named', async () => {
    if (client.supports('lifecycle') === 'no' || client.supports('tags') === 'no') return;
    const bucket = bucketName('drift');
    const settings = settingsFor(endpoint, target.name, fullManifest(bucket, connection));
    await apply(settings);
    const foreign: LifecycleRule = { id: 'by-hand', enabled: true, prefix: 'x/', tags: {}, expireDays: 1 };
    await handOn(bucket).rules((all) => [...all, foreign]);
    await client.write(bucket, 'tags', { team: 'media', tier: 'gold', owner: 'ann' });
    const changed = await plan(settings);
    expect(changed.buckets.find(({ name }) => name === bucket)).toMatchObject({
      action: 'none',
      unmanaged: ['lifecycle rule by-hand', 'tag owner'],
    });
    await handOn(bucket).rules((all) => all.map((one) => (one.id === 'logs' ? { ...one, expireDays: 2 } : one)));
    await apply(settings);
    expect(await client.read(bucket, 'lifecycle')).toContainEqual(foreign);
    expect(await client.read(bucket, 'tags')).toEqual({ team: 'media', tier: 'gold', owner: 'ann' });
  });

  test('a rule of somebody else on what Loki and Tempo keep is a failure, and ours that is not wanted goes', async () => {
    if (client.supports('lifecycle') === 'no') return;
    const bucket = bucketName('drift');
    const settings = settingsFor(endpoint, target.name, fullManifest(bucket, connection));
    await apply(settings);
    await handOn(`${bucket}-tempo`).rules((all) => [
      ...all,
      { id: 'by-hand', enabled: true, prefix: '', tags: {}, expireDays: 400 },
      { id: 'bucketwright-from-before', enabled: true, prefix: '', tags: {}, noncurrentDays: 4 },
    ]);
    const findings = driftFindings(await plan(settings));
    expect(findings).toContainEqual(expect.objectContaining({ id: 'unmanaged-rule', status: 'fail' }));
    expect(findings).toContainEqual(
      expect.objectContaining({
        status: 'fail',
        subject: `bucket ${bucket}-tempo lifecycle rule bucketwright-from-before`,
      }),
    );
    await apply(settings);
    expect((await client.read(`${bucket}-tempo`, 'lifecycle'))?.map(({ id }) => id)).toEqual([
      'bucketwright-abort-uploads-tempo',
      'by-hand',
    ]);
  });
});
