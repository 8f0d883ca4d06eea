import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type BucketClient, createBucketClient } from '../../src/client/index.ts';
import { hetzner } from '../../src/providers/hetzner.ts';
import type { Connection, ProviderProfile } from '../../src/providers/index.ts';
import { rgwActions } from '../../src/providers/rgw-actions.ts';
import {
  type ApplyStep,
  applyPlan,
  driftFindings,
  isEmptyPlan,
  planOncePermitted,
  planProvisioning,
  planTwice,
} from '../../src/provision/index.ts';
import { bucketName } from '../support/endpoint.ts';
import { type RgwEndpoint, rgwMissing, startRgw } from '../support/rgw.ts';
import { skipUnless } from '../support/skip.ts';
import { type HetznerFront, startHetznerFront } from './hetzner-front.ts';
import { settingsFor } from './manifest.ts';
import { connectionTo } from './targets.ts';

const missing = rgwMissing();
const KEY = 'ADMINKEYOFP1001';
const SECRET = 'secret-of-the-key-that-provisions';
const OURS = `arn:aws:iam:::user/p1001:${KEY}`;

/** Two of Ceph's parts stand for Hetzner's: a user for a project, and subusers named as their keys for its keys. */
skipUnless(missing === undefined, missing ?? '')('the hetzner profile, before a real Ceph', () => {
  let rgw: RgwEndpoint;
  let front: HetznerFront;
  let connection: Connection;
  let client: BucketClient;
  beforeAll(async () => {
    rgw = await startRgw();
    const subuser = ['--uid=p1001', `--subuser=p1001:${KEY}`, '--key-type=s3', '--access=full'];
    await rgw.admin('subuser', 'create', ...subuser, `--access-key=${KEY}`, `--secret-key=${SECRET}`);
    front = await startHetznerFront(rgw);
    const direct = connectionTo(
      { ...rgw, ...front.endpoint, accessKeyId: KEY, secretAccessKey: SECRET, region: 'fsn1' },
      'hetzner',
    );
    // As the profile, in seconds rather than minutes.
    const provider: ProviderProfile = {
      ...hetzner,
      policy: { ...hetzner.policy, settleMs: 2_000 },
      keysSettleMs: 4_000,
    };
    connection = { ...direct, provider };
    client = createBucketClient(connection);
  }, 180_000);
  afterAll(async () => {
    client?.close();
    await front?.[Symbol.asyncDispose]();
    await rgw?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    front.policyLagMs = 0;
    front.throttleEvery = 0;
    front.seen.length = 0;
  });

  const settings = (yaml: string) =>
    settingsFor({ ...rgw, ...front.endpoint, accessKeyId: KEY, secretAccessKey: SECRET }, 'hetzner', yaml);
  const manifest = (bucket: string, more = '') =>
    `loki: { bucket: ${bucket} }\ntempo: { bucket: ${bucket} }\nbuckets:\n  - name: ${bucket}\n${more}`;
  const fence = (bucket: string, spared: string) => `    policy:
      Version: '2012-10-17'
      Statement:
        - { Sid: fence, Effect: Deny, NotPrincipal: { AWS: ['${spared}'] }, Action: 's3:*', Resource: ['arn:aws:s3:::${bucket}', 'arn:aws:s3:::${bucket}/*'] }
`;

  async function apply(yaml: string): Promise<readonly ApplyStep[]> {
    const { plan, problems } = await planProvisioning(settings(yaml), connection, client);
    expect(problems).toEqual([]);
    const steps: ApplyStep[] = [];
    for await (const step of applyPlan(client, plan, { profile: connection.provider })) steps.push(step);
    return steps;
  }
  const failed = (steps: readonly ApplyStep[]) =>
    steps.filter(({ outcome }) => outcome !== 'created' && outcome !== 'written');
  const problemsOf = async (yaml: string) =>
    (await planProvisioning(settings(yaml), connection, client)).problems.map(({ problem }) => problem);

  test('nothing is sent that is unknown there or that clears a policy; each rule has a Prefix or a Filter, never both', async () => {
    const bucket = bucketName('sent');
    const yaml = manifest(
      bucket,
      `    versioning: enabled
    cors: [{ origins: ['https://a.example'], methods: [GET] }]
    lifecycle:
      - { id: all, noncurrentAfter: 3d }
      - { id: part, prefix: tmp/, expireAfter: 1d }
      - { id: uploads, abortUploadsAfter: 1d }
      - { id: markers, prefix: m/, expireDeleteMarkers: true }
${fence(bucket, OURS)}`,
    );
    expect(failed(await apply(yaml))).toEqual([]);
    expect(isEmptyPlan((await planProvisioning(settings(yaml), connection, client)).plan)).toBe(true);
    for (const { method, url, headers } of front.seen) {
      expect(`${method} ${url}`).toMatch(
        /^(?:GET \/|PUT \/[^/?]+|(?:GET|PUT) \/[^/?]+\?(?:location|versioning|object-lock|cors|lifecycle|publicAccessBlock|policy)=)$/,
      );
      expect(Object.keys(headers)).not.toContain('x-amz-acl');
    }
    const bodies = front.seen.filter(({ method, url }) => method === 'PUT' && url.includes('?lifecycle'));
    const rules = bodies.flatMap(({ body }) => body.match(/<Rule>.*?<\/Rule>/g) ?? []);
    expect(rules.length).toBeGreaterThanOrEqual(6);
    for (const rule of rules) {
      expect(rule.match(/<Prefix>|<Prefix\/>/g)?.length, rule).toBe(1);
      expect(rule).not.toContain('<Filter');
    }
  });

  test('a policy that is read as the former one for a while is waited for', async () => {
    const bucket = bucketName('lag');
    await apply(manifest(bucket));
    front.policyLagMs = 1_200;
    const steps = await apply(manifest(bucket, fence(bucket, OURS)));
    expect(failed(steps)).toEqual([]);
    const reads = front.seen.filter(({ method, url }) => method === 'GET' && url.includes('?policy'));
    // Planned by one, saved by one before the trial; the others waited.
    expect(reads.length).toBeGreaterThan(3);
    front.policyLagMs = 60_000;
    const never = await apply(manifest(bucket, fence(bucket, `${OURS}', 'arn:aws:iam:::user/p1001:OTHER`)));
    expect(never).toMatchObject([{ step: 'policy', outcome: 'failed', error: { code: 'not-kept' } }]);
  }, 60_000);

  test('while a policy is tried, the former one stays in force', async () => {
    const bucket = bucketName('former');
    await apply(manifest(bucket, fence(bucket, OURS)));
    front.seen.length = 0;
    await apply(manifest(bucket, fence(bucket, `${OURS}', 'arn:aws:iam:::user/p1001:OTHER`)));
    const bodies = front.seen.filter(({ method, url }) => method === 'PUT' && url.includes('?policy'));
    expect(bodies.map(({ body }) => body.includes('"Action":"s3:*"'))).toEqual([true, true]);
    expect(bodies.map(({ body }) => body.includes('BucketwrightTrial1'))).toEqual([true, false]);
  });

  test('a wrong principal locks nobody out: the trial finds it, and the former policy is in force again', async () => {
    const bucket = bucketName('wrong');
    await apply(manifest(bucket));
    // As the plan sees it, it spares a key of this name; that it is of another project, only the trial can tell.
    const steps = await apply(manifest(bucket, fence(bucket, `arn:aws:iam:::user/p1002:${KEY}`)));
    expect(steps).toMatchObject([{ step: 'policy', outcome: 'failed', error: { code: 'lockout' } }]);
    expect(await client.read(bucket, 'policy')).toBeUndefined();
    expect(await client.location(bucket)).toBeDefined();
  }, 60_000);

  test('an Allow for one key of the own project alone is refused as worthless, for one of another it is not', async () => {
    const bucket = bucketName('allow');
    const allow = (arn: string) =>
      manifest(
        bucket,
        `    policy: { Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: { AWS: '${arn}' }, Action: 's3:GetObject', Resource: 'arn:aws:s3:::${bucket}/*' }] }\n`,
      );
    expect(await problemsOf(allow('arn:aws:iam:::user/p1001:ONEKEY'))).toEqual([
      expect.stringContaining('only allows keys of one project'),
    ]);
    expect(await problemsOf(allow('arn:aws:iam:::user/p2002:ONEKEY'))).toEqual([]);
  });

  test('throttles as HTML are waited out', async () => {
    front.throttleEvery = 4;
    const bucket = bucketName('throttled');
    expect(failed(await apply(manifest(bucket, '    versioning: enabled\n')))).toEqual([]);
    expect(front.seen.length).toBeGreaterThan(8);
  }, 60_000);

  test('apply asks again while a new key is refused; what stays refused is a problem', async () => {
    const bucket = bucketName('newkey');
    await apply(manifest(bucket));
    const waited: string[] = [];
    front.refuseFor(1_500);
    const onWaiting = (text: string) => void waited.push(text);
    const planned = await planOncePermitted(settings(manifest(bucket)), connection, client, { onWaiting });
    expect(planned.problems).toEqual([]);
    expect(isEmptyPlan(planned.plan)).toBe(true);
    expect(waited).toEqual([expect.stringContaining('a new one may be')]);
    front.refuseFor(30_000);
    const { problems } = await planOncePermitted(settings(manifest(bucket)), connection, client);
    front.refuseFor(0);
    expect(problems.map(({ kind }) => kind)).toEqual(['denied']);
  }, 60_000);

  test('a write that is refused right after the bucket was made is tried again', async () => {
    const bucket = bucketName('fresh');
    const yaml = manifest(bucket, '    versioning: enabled\n');
    const { plan } = await planProvisioning(settings(yaml), connection, client);
    const steps: ApplyStep[] = [];
    for await (const step of applyPlan(client, plan, { profile: connection.provider })) {
      steps.push(step);
      if (step.step === 'bucket') front.refuseFor(800);
    }
    expect(failed(steps)).toEqual([]);
  }, 60_000);

  test('versioning that is suspended puts the rules to sleep: plan refuses, check tells', async () => {
    const bucket = bucketName('asleep');
    const rules = '    lifecycle: [{ id: a, prefix: tmp/, expireAfter: 1d }]\n';
    await apply(manifest(bucket, rules));
    await client.write(bucket, 'versioning', 'enabled');
    await client.write(bucket, 'versioning', 'suspended');
    expect(await problemsOf(manifest(bucket, rules))).toEqual([expect.stringContaining('runs no lifecycle rule')]);
    const { plan } = await planTwice(settings(manifest(bucket, rules)), connection, client);
    expect(driftFindings(plan)).toContainEqual(
      expect.objectContaining({ id: 'lifecycle-asleep', status: 'fail', subject: `bucket ${bucket}` }),
    );
    const mended = manifest(bucket, `    versioning: enabled\n${rules}`);
    expect(failed(await apply(mended))).toEqual([]);
  });

  test('the list of actions is Ceph\u2019s: each of it is taken, and what is not in it makes the whole policy fail', async () => {
    const bucket = bucketName('actions');
    await client.create(bucket);
    const policy = (actions: readonly string[]) => ({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Principal: { AWS: ['arn:aws:iam:::user/nobody'] },
          Action: [...actions],
          Resource: [`arn:aws:s3:::${bucket}/*`],
        },
      ],
    });
    await client.write(bucket, 'policy', policy(rgwActions));
    for (const action of ['s3:GetEncryptionConfiguration', 's3:GetObjectAttributes', 's3:Foo*', 'iam:PassRole']) {
      await expect(client.write(bucket, 'policy', policy([action, 's3:GetObject'])), action).rejects.toMatchObject({
        code: 'refused',
      });
      const yaml = manifest(
        bucket,
        `    policy: { Version: '2012-10-17', Statement: [{ Effect: Deny, Principal: { AWS: 'arn:aws:iam:::user/p2002:X' }, Action: ['${action}'], Resource: 'arn:aws:s3:::${bucket}/*' }] }\n`,
      );
      expect(await problemsOf(yaml), action).toEqual([expect.stringContaining('refuses the whole policy')]);
    }
  });
});
