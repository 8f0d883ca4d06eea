import { createServer, request, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BucketClient, ClientError, createBucketClient } from '../../src/client/index.ts';
import { type Connection, providerNamed } from '../../src/providers/index.ts';
import {
  type ApplyStep,
  applyPlan,
  importBuckets,
  isEmptyPlan,
  type PlanProblem,
  ProvisionError,
  parseSavedPlan,
  planProvisioning,
  readLive,
  remainingOf,
  savePlan,
} from '../../src/provision/index.ts';
import { parseSettings, type Settings } from '../../src/settings/index.ts';
import { bucketName, type DisposableEndpoint, endpointOf, type S3Endpoint } from '../support/endpoint.ts';
import { freePorts } from '../support/ports.ts';
import { fullManifest, settingsFor } from './manifest.ts';
import { connectionTo, onEach } from './targets.ts';

onEach('provisioning', (target) => {
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

  const planned = (settings: Settings, by = client) => planProvisioning(settings, connection, by);

  async function apply(settings: Settings, by = client): Promise<ApplyStep[]> {
    const { plan, problems } = await planned(settings, by);
    expect(problems).toEqual([]);
    const steps: ApplyStep[] = [];
    for await (const step of applyPlan(by, plan, { profile: connection.provider })) steps.push(step);
    return steps;
  }

  test('apply makes what plan says, and then there is nothing to do', async () => {
    const bucket = bucketName('apply');
    const settings = settingsFor(endpoint, target.name, fullManifest(bucket, connection, true));
    const { plan } = await planned(settings);
    expect(plan.buckets.map(({ name, action }) => [name, action])).toEqual([
      [`${bucket}-loki`, 'create'],
      [`${bucket}-tempo`, 'create'],
      [bucket, 'create'],
    ]);
    const steps = await apply(settings);
    expect(steps.filter(({ outcome }) => outcome === 'failed' || outcome === 'not-tried')).toEqual([]);
    expect(isEmptyPlan((await planned(settings)).plan)).toBe(true);
    expect(await apply(settings)).toEqual([]);
  });

  test('a plan takes at most eight requests a bucket, and one for the list', async () => {
    const bucket = bucketName('count');
    const settings = settingsFor(endpoint, target.name, fullManifest(bucket, connection));
    await apply(settings);
    const counted = createBucketClient(connection);
    await planned(settings, counted);
    expect(counted.requests).toBeLessThanOrEqual(3 * 8 + 1);
    counted.close();
  });

  test('what is imported plans to no changes', async () => {
    const bucket = bucketName('import');
    const first = settingsFor(endpoint, target.name, fullManifest(bucket, connection, true));
    await apply(first);
    const names = [`${bucket}-loki`, `${bucket}-tempo`, bucket];
    const { yaml, notes } = importBuckets(await readLive(client, names));
    expect(notes).toEqual([]);
    const again = settingsFor(
      endpoint,
      target.name,
      `loki: { bucket: ${bucket}-loki }\ntempo: { bucket: ${bucket}-tempo }\n${yaml}`,
    );
    const { plan, problems } = await planned(again);
    expect(problems).toEqual([]);
    expect(plan.buckets.map(({ name, changes }) => [name, changes])).toEqual(names.map((name) => [name, []]));
  });

  test('a saved plan is carried out as saved, also when it was interrupted, and refused when the world moved', async () => {
    if (client.supports('versioning') === 'no' || client.supports('cors') === 'no') return;
    const bucket = bucketName('saved');
    const text = fullManifest(bucket, connection);
    const settings = settingsFor(endpoint, target.name, text);
    const about = { endpoint: endpoint.url, environment: undefined, now: Date.now() };
    const saved = parseSavedPlan('f', savePlan((await planned(settings)).plan, about));
    // An earlier run came as far as the first bucket and one attribute of another.
    await client.create(bucket);
    await client.write(bucket, 'versioning', 'enabled');
    const rest = remainingOf(saved, await planned(settings), about);
    for await (const { error } of applyPlan(client, rest, { profile: connection.provider }))
      expect(error).toBeUndefined();
    expect(isEmptyPlan(remainingOf(saved, await planned(settings), about))).toBe(true);

    const later = settingsFor(endpoint, target.name, text.replace('maxAge: 1h', 'maxAge: 2h'));
    const change = parseSavedPlan('f', savePlan((await planned(later)).plan, about));
    await client.clear(bucket, 'cors');
    const after = await planned(later);
    expect(() => remainingOf(change, after, about)).toThrow(/cors of .* changed since/);
    const wantedOtherwise = await planned(settingsFor(endpoint, target.name, text.replace('maxAge: 1h', 'maxAge: 3h')));
    expect(() => remainingOf(change, wantedOtherwise, about)).toThrow(ProvisionError);
    expect(() => remainingOf(change, after, { ...about, endpoint: 'https://elsewhere' })).toThrow(/made for/);
    expect(() => remainingOf(change, after, { ...about, environment: 'staging' })).toThrow(/no environment/);
  });

  test('a connection that is lost between two changes leaves what the next apply completes', async () => {
    const bucket = bucketName('lost');
    const settings = settingsFor(endpoint, target.name, fullManifest(bucket, connection));
    let writes = 0;
    const proxy = await proxyTo(endpoint, (method) => {
      if (method === 'GET') return 'pass';
      writes += 1;
      return writes <= 4 ? 'pass' : 'cut';
    });
    const throughProxy = createBucketClient(connectionTo({ ...endpoint, ...proxy.endpoint }, target.name), {
      attempts: 2,
    });
    const steps = await apply(settings, throughProxy);
    throughProxy.close();
    await proxy.close();
    const failed = steps.filter(({ outcome }) => outcome === 'failed');
    const total = steps.length;
    if (writes > 4) {
      expect(failed.map(({ error }) => error?.code)).toEqual(['unreachable']);
      expect(steps.filter(({ outcome }) => outcome === 'not-tried')).toHaveLength(total - failed.length - 4);
    }
    const rest = await apply(settings);
    expect(rest.every(({ outcome }) => outcome !== 'failed')).toBe(true);
    expect(rest.length).toBeLessThan(total);
    expect(isEmptyPlan((await planned(settings)).plan)).toBe(true);
  });

  test('a policy that shuts us out is tried harmlessly first and taken back', async () => {
    if (client.supports('policy') === 'no') return;
    const bucket = bucketName('lockout');
    const manifest = (spared: string) => `buckets:
  - name: ${bucket}
    policy:
      Version: '2012-10-17'
      Statement:
        - { Sid: only, Effect: Deny, NotPrincipal: { AWS: '${spared}' }, Action: 's3:*', Resource: ['arn:aws:s3:::${bucket}', 'arn:aws:s3:::${bucket}/*'] }
`;
    const wrong = await apply(settingsFor(endpoint, target.name, manifest('arn:aws:iam:::user/p1oo1')));
    expect(wrong.at(-1)).toMatchObject({ step: 'policy', outcome: 'failed', error: { code: 'lockout' } });
    expect(await client.read(bucket, 'policy')).toBeUndefined();
    // Whom the acting key is, each provider says in its own way.
    const ours = target.name === 'ceph' ? 'arn:aws:iam:::user/p1001' : 'arn:aws:iam::root:root';
    const right = await apply(settingsFor(endpoint, target.name, manifest(ours)));
    expect(right.at(-1)).toMatchObject({ step: 'policy', outcome: 'written' });
    expect(await client.location(bucket)).toBeDefined();
  });
});

onEach('somebody else', (target) => {
  let endpoint: DisposableEndpoint;
  beforeAll(async () => {
    endpoint = await target.start();
  }, 180_000);
  afterAll(async () => {
    await endpoint?.[Symbol.asyncDispose]();
  });

  test('a taken name and a right that is missing are told apart, and nothing is changed', async () => {
    if (target.name !== 'ceph') return;
    const beta = {
      ...endpoint,
      accessKeyId: 'TESTBETA00000000000B',
      secretAccessKey: 'test-beta-secret-00000000000000000000000',
    };
    const [alphaConnection, betaConnection] = [connectionTo(endpoint, 'ceph'), connectionTo(beta, 'ceph')];
    const [alpha, theirs] = [createBucketClient(alphaConnection), createBucketClient(betaConnection)];
    const bucket = bucketName('taken');
    await theirs.create(bucket);
    const yaml = `buckets:\n  - name: ${bucket}\n    lifecycle: [{ id: a, abortUploadsAfter: 7d }]\n`;
    const kinds = async () => {
      const { problems } = await planProvisioning(settingsFor(endpoint, 'ceph', yaml), alphaConnection, alpha);
      return problems.map(({ kind, problem }) => `${kind}: ${problem}`);
    };
    expect(await kinds()).toEqual(['taken: the name is taken by somebody else']);
    // Let in, but not to read the lifecycle.
    await theirs.write(bucket, 'policy', {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: 'arn:aws:iam:::user/p1001' },
          Action: ['s3:GetBucketVersioning', 's3:GetBucketLocation', 's3:ListBucket'],
          Resource: `arn:aws:s3:::${bucket}`,
        },
      ],
    });
    expect(await kinds()).toEqual(['denied: this key may not read its lifecycle']);
    expect(await theirs.read(bucket, 'lifecycle')).toBeUndefined();
    alpha.close();
    theirs.close();
  });
});

describe('what a provider cannot do is said when planning, with the nearest alternative', () => {
  const problemsOn = async (profile: string, yaml: string): Promise<readonly PlanProblem[]> => {
    // Answers as an empty account does; the profile alone decides.
    const server = createServer((incoming, response) => {
      const bare = incoming.url === '/';
      response.writeHead(bare ? 200 : 404, { 'content-type': 'application/xml' });
      response.end(
        bare
          ? '<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>'
          : '<Error><Code>NoSuchBucket</Code></Error>',
      );
    });
    const [port = 0] = await freePorts(1);
    await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
    const endpoint = endpointOf(`http://127.0.0.1:${port}`, 'r', 'KEYOFADMIN', 'secret-key-1');
    const connection = connectionTo(endpoint, profile);
    const client = createBucketClient(connection);
    try {
      return (await planProvisioning(settingsFor(endpoint, profile, yaml), connection, client)).problems;
    } finally {
      client.close();
      await new Promise((done) => server.close(done));
    }
  };
  const deny = (rest: string) =>
    `buckets:\n  - name: acme-b\n    policy: { Version: '2012-10-17', Statement: [{ Effect: Deny, Action: 's3:*', Resource: ['arn:aws:s3:::acme-b', 'arn:aws:s3:::acme-b/*'], ${rest} }] }\n`;
  const allow = (rest: string) =>
    `buckets:\n  - name: acme-b\n    policy: { Version: '2012-10-17', Statement: [{ Effect: Allow, Resource: 'arn:aws:s3:::acme-b/*', ${rest} }] }\n`;

  const APPLICATION = 'application_id:11111111-1111-1111-1111-111111111111';
  const scaleway = (statement: string) =>
    `buckets:\n  - name: acme-b\n    policy: { Version: '2023-04-17', Statement: [${statement.replace('{', `{ Principal: { SCW: '${APPLICATION}' },`)}] }\n`;

  test.each([
    [
      'hetzner',
      'buckets: [{ name: acme-b, tags: { a: b } }]',
      /tags: Hetzner.* has no bucket-tagging \(501\)/,
      /manifest itself/,
    ],
    [
      'hetzner',
      'buckets: [{ name: acme-b, versioning: suspended, lifecycle: [{ id: a, expireAfter: 1d }] }]',
      /no rule while versioning is suspended/,
      /enable versioning/,
    ],
    [
      'hetzner',
      'buckets: [{ name: acme-b, lifecycle: [{ id: a, expireAfter: 1d, largerThan: 1MiB }] }]',
      /rule a: .* no lifecycle-sizes/,
      /prefix/,
    ],
    [
      'hetzner',
      'buckets: [{ name: acme-b, lifecycle: [{ id: a, noncurrentAfter: 1d, noncurrentKeep: 2 }] }]',
      /no lifecycle-keep-versions .*delete more than asked/,
      /noncurrentAfter/,
    ],
    ['hetzner', 'buckets: [{ name: acme-b, encryption: AES256 }]', /no bucket-encryption/, /SSE-C/],
    [
      'hetzner',
      deny("NotPrincipal: { AWS: 'arn:aws:iam:::user/p123:OTHERKEY' }"),
      /spares others but not the key that provisions/,
      /KEYOFADMIN/,
    ],
    [
      'hetzner',
      deny("Principal: { AWS: 'arn:aws:iam:::user/p123:KEYOFADMIN' }"),
      /denies the key that provisions/,
      /leave this key out/,
    ],
    ['hetzner', deny("Principal: '*'"), /denies everybody, you included/, /NotPrincipal/],
    [
      'hetzner',
      deny("NotPrincipal: { AWS: 'arn:aws:iam::123:root' }"),
      /names arn:aws:iam::123:root, which matches nobody/,
      /p<project id>:<access key id>/,
    ],
    [
      'hetzner',
      allow("Action: 's3:GetObject', Principal: { AWS: ['arn:aws:iam:::user/p123:A1', 'arn:aws:iam:::user/p123:B2'] }"),
      /only allows keys of one project/,
      /Deny with NotPrincipal/,
    ],
    [
      'hetzner',
      allow("Action: 's3:PutEncryptionConfiguration', Principal: { AWS: 'arn:aws:iam:::user/p123:A1' }"),
      /refuses the whole policy/,
      /leave the action out/,
    ],
    [
      'hetzner',
      allow("NotAction: 's3:GetObject', Principal: { AWS: 'arn:aws:iam:::user/p123:A1' }"),
      /NotAction, which .* ignores/,
      /list the actions/,
    ],
    [
      'ceph',
      allow("Action: 's3:GetObject', Principal: { AWS: 'p1002' }"),
      /names p1002, which matches nobody/,
      /user\/UID/,
    ],
    [
      'ceph',
      allow("Action: 's3:GetObject', Principal: '*', Condition: {}").replace('acme-b/*', 'acme-c/*'),
      /names arn:aws:s3:::acme-c\/\*, which is not of this bucket/,
      /acme-b/,
    ],
    [
      'scaleway',
      scaleway("{ Effect: Allow, Action: 's3:GetObject', Resource: 'acme-b/*' }"),
      /lets nobody change it, and on Scaleway .* the key that provisions too/,
      /s3:PutBucketPolicy .*application_id/,
    ],
    [
      'scaleway',
      scaleway("{ Effect: Allow, Action: '*', Resource: ['arn:aws:s3:::acme-b'] }"),
      /names arn:aws:s3:::acme-b, which is not of this bucket/,
      /acme-b and acme-b\/\*/,
    ],
    [
      'scaleway',
      scaleway("{ Effect: Deny, Action: 's3:*', Resource: acme-b }"),
      /denies to change it, which cannot be tried harmlessly/,
      /leave the Deny out/,
    ],
    ['minio', 'buckets: [{ name: acme-b, cors: [{ origins: ["*"], methods: [GET] }] }]', /no cors/, /proxy/],
    [
      'minio',
      'buckets: [{ name: acme-b, lifecycle: [{ id: a, abortUploadsAfter: 1d }] }]',
      /no lifecycle-abort-uploads/,
      /by itself/,
    ],
    ['embedded', 'buckets: [{ name: acme-b, encryption: AES256 }]', /no bucket-encryption/, /./],
  ])('%s: %s', async (profile, yaml, problem, advice) => {
    const problems = await problemsOn(profile, yaml);
    expect(
      problems.some((one) => problem.test(one.problem) && advice.test(one.advice)),
      JSON.stringify(problems),
    ).toBe(true);
  });

  test.each([
    [
      'hetzner',
      deny("NotPrincipal: { AWS: ['arn:aws:iam:::user/p123:KEYOFADMIN', 'arn:aws:iam:::user/p123:TENANT'] }"),
    ],
    [
      'hetzner',
      allow("Action: 's3:GetObject', Principal: { AWS: ['arn:aws:iam:::user/p123:A1', 'arn:aws:iam:::user/p456:B2'] }"),
    ],
    ['hetzner', 'buckets: [{ name: acme-b, versioning: enabled, lifecycle: [{ id: a, noncurrentAfter: 1d }] }]'],
    ['scaleway', scaleway("{ Effect: Allow, Action: '*', Resource: [acme-b, 'acme-b/*'] }")],
    [
      'aws',
      'buckets: [{ name: acme-b, encryption: AES256, tags: { a: b }, lifecycle: [{ id: a, expireAfter: 1d, largerThan: 1 }] }]',
    ],
  ])('%s can do: %s', async (profile, yaml) => {
    expect(await problemsOn(profile, yaml)).toEqual([]);
  });

  test('every provider that is known can be asked for a plan of the defaults', async () => {
    for (const name of ['aws', 'hetzner', 'ceph', 'minio', 'embedded', 'generic']) {
      expect(providerNamed(name), name).toBeDefined();
      expect(await problemsOn(name, '{}'), name).toEqual([]);
    }
  });
});

describe('a provider that answers otherwise', () => {
  test.each([
    [501, 'text/html', '<html>no</html>', /cannot be read \(not-implemented\)/],
    [200, 'application/xml', '<ListBucketResult/>', /cannot be read \(protocol\)/],
  ])('%i %s is a problem of the attribute that needs it', async (status, type, body, expected) => {
    const server: Server = createServer((incoming, response) => {
      if (incoming.url === '/') return void response.end('<ListAllMyBucketsResult/>');
      if (incoming.url?.includes('versioning')) return void response.end('<VersioningConfiguration/>');
      response.writeHead(status, { 'content-type': type }).end(body);
    });
    const [port = 0] = await freePorts(1);
    await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
    const endpoint = endpointOf(`http://127.0.0.1:${port}`, 'r', 'AKIDEXAMPLE', 'secret-key-1');
    const connection = connectionTo(endpoint, 'generic');
    const client = createBucketClient(connection);
    const yaml = 'buckets: [{ name: acme-b, cors: [{ origins: [x], methods: [GET] }] }]';
    const { problems } = await planProvisioning(settingsFor(endpoint, 'generic', yaml), connection, client);
    expect(problems.map(({ bucket, problem }) => `${bucket} ${problem}`)).toEqual([expect.stringMatching(expected)]);
    client.close();
    await new Promise((done) => server.close(done));
  });

  test('a rule that loses its limit on the way is a failure, and the former rules come back', async () => {
    // Answers as Ceph 16 and 18 do: the limit is dropped with a 200.
    const written: string[] = [];
    let stored =
      '<LifecycleConfiguration><Rule><ID>by-hand</ID><Status>Enabled</Status><Prefix>x/</Prefix><Expiration><Days>9</Days></Expiration></Rule></LifecycleConfiguration>';
    const server = createServer((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (incoming.url === '/') return void response.end('<ListAllMyBucketsResult/>');
        if (!incoming.url?.startsWith('/acme-b?lifecycle')) {
          return void response.end(incoming.url?.includes('versioning') ? '<VersioningConfiguration/>' : '<X/>');
        }
        if (incoming.method === 'PUT') {
          written.push(text);
          stored = text.replace(/<NewerNoncurrentVersions>\d+<\/NewerNoncurrentVersions>/, '');
        }
        response.end(incoming.method === 'PUT' ? '' : stored);
      });
    });
    const [port = 0] = await freePorts(1);
    await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
    const endpoint = endpointOf(`http://127.0.0.1:${port}`, 'r', 'AKIDEXAMPLE', 'secret-key-1');
    const connection = connectionTo(endpoint, 'generic');
    const client = createBucketClient(connection);
    const yaml = 'buckets: [{ name: acme-b, lifecycle: [{ id: a, noncurrentAfter: 1d, noncurrentKeep: 5 }] }]';
    const { plan } = await planProvisioning(settingsFor(endpoint, 'generic', yaml), connection, client);
    const only = { ...plan, buckets: plan.buckets.filter(({ name }) => name === 'acme-b') };
    const steps: ApplyStep[] = [];
    for await (const step of applyPlan(client, only, { profile: connection.provider })) steps.push(step);
    expect(steps).toMatchObject([{ step: 'lifecycle', outcome: 'failed', error: { code: 'not-kept' } }]);
    expect(steps[0]?.error?.message).toContain('noncurrentKeep 5 became absent');
    expect(written).toHaveLength(2);
    expect(stored).toContain('by-hand');
    expect(stored).not.toContain('<ID>a</ID>');
    client.close();
    await new Promise((done) => server.close(done));
  });
});

describe('a saved plan', () => {
  const about = { endpoint: 'https://x', environment: undefined, now: 0 };
  const text = savePlan({ buckets: [], unmanagedBuckets: [] }, about);
  test.each([
    ['edited', text.replace('https://x', 'https://y'), /was edited/],
    ['of another kind', '{"a":1}', /no plan of this version/],
    ['no JSON', 'plan', /no JSON/],
    ['cut off', text.slice(0, 40), /no JSON/],
  ])('that is %s is refused', (_what, broken, expected) => {
    expect(() => parseSavedPlan('f', broken)).toThrow(expected);
    expect(() => parseSavedPlan('f', broken)).toThrow(ProvisionError);
  });
});

test('nobody listening is unreachable, before anything is planned', async () => {
  const [port = 0] = await freePorts(1);
  const endpoint = endpointOf(`http://127.0.0.1:${port}`, 'r', 'AKIDEXAMPLE', 'secret-key-1');
  const connection = connectionTo(endpoint, 'ceph');
  const client = createBucketClient(connection);
  const settings = parseSettings({ environment: {} });
  await expect(planProvisioning(settings, connection, client)).rejects.toThrow(ClientError);
  client.close();
});

/** Passes requests on, or cuts the connection, as `decide` says. */
async function proxyTo(upstream: S3Endpoint, decide: (method: string) => 'pass' | 'cut') {
  const server = createServer((incoming, response) => {
    if (decide(incoming.method ?? '') === 'cut') return void incoming.socket.destroy();
    const outgoing = request(
      {
        host: upstream.host,
        port: upstream.port,
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
        agent: false,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    outgoing.on('error', () => incoming.socket.destroy());
    incoming.pipe(outgoing);
  });
  const [port = 0] = await freePorts(1);
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return {
    endpoint: { url: `http://127.0.0.1:${port}`, host: '127.0.0.1', port },
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((done) => server.close(() => done()));
    },
  };
}
