import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError, createBucketClient, createClient } from '../../../client/index.ts';
import { HostError, UsageError } from '../../../core/errors.ts';
import { type Connection, providerNamed } from '../../../providers/index.ts';
import type { CliContext } from '../../context.ts';
import { type Alias, configDirectory, findAlias, newAlias, readAliases, writeAliases } from './alias-file.ts';
import { anonymousAccess, anonymousPolicy } from './anonymous.ts';
import { type ClientArguments, clientAdvice } from './arguments.ts';

/** How long `mc ready` waits for a server, in milliseconds. */
const READY_MS = 60_000;

/** What a command works with. */
interface Scene {
  readonly given: ClientArguments;
  /** Where the aliases are kept. */
  readonly directory: string;
  alias(name: string): Promise<Alias>;
  say(line: string): void;
}

const commands: ReadonlyMap<string, (scene: Scene) => Promise<void>> = new Map<string, (scene: Scene) => Promise<void>>(
  [
    ['alias set', setAlias],
    ['alias list', listAliases],
    ['alias remove', removeAlias],
    ['ready', ready],
    ['mb', makeBuckets],
    ['ls', list],
    ['version enable', (scene) => setVersioning(scene, 'enabled')],
    ['version suspend', (scene) => setVersioning(scene, 'suspended')],
    ['anonymous set', setAnonymous],
  ],
);

/**
 * Runs one command of MinIO's client, as far as the init containers of compose files need it.
 * @throws UsageError for every other command or option, by its name; ClientError
 */
export async function runClient(given: ClientArguments, context: CliContext): Promise<void> {
  const { environment, out } = context;
  const command = commands.get(given.command);
  if (command === undefined) throw missing(`\`${given.command}\``, given.command);
  for (const option of given.unknown) throw missing(`${option} of \`${given.command}\``, option);
  const directory = configDirectory(given.options.get('config-dir'), environment);
  await command({
    given,
    directory,
    alias: (name) => findAlias(directory, name, environment),
    say: (line) => void out.write(`${line}\n`),
  });
}

function missing(what: string, subject: string): UsageError {
  return new UsageError(`mc: this image's mc does not have ${what}`, { subject, advice: clientAdvice });
}

/** Like MinIO's client, only keeps what lets it in: scripts repeat this line until the server is there. */
async function setAlias({ given, directory, say }: Scene): Promise<void> {
  const [name = '', url = '', accessKey = '', secretKey = ''] = given.operands;
  if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name) || accessKey === '' || secretKey === '') {
    throw usage('alias set', 'mc alias set NAME http://HOST:9000 KEY SECRET; the keys are not asked for here');
  }
  const alias = newAlias(url, accessKey, secretKey);
  const client = createClient(connectionOf(name, alias, undefined));
  try {
    await client.listBuckets();
  } finally {
    client.close();
  }
  const file = await readAliases(directory);
  const entry = { url: alias.endpoint.url, accessKey, secretKey, api: 'S3v4', path: 'auto' };
  await writeAliases(directory, { ...file, aliases: { ...file.aliases, [name]: entry } });
  say(`Added \`${name}\` successfully.`);
}

async function listAliases({ directory, say }: Scene): Promise<void> {
  for (const [name, { url }] of Object.entries((await readAliases(directory)).aliases)) say(`${name}  ${url}`);
}

async function removeAlias({ given, directory, say }: Scene): Promise<void> {
  const [name = ''] = given.operands;
  const file = await readAliases(directory);
  const { [name]: removed, ...aliases } = file.aliases;
  if (removed === undefined) throw usage('alias remove', `there is no alias ${name}`);
  await writeAliases(directory, { ...file, aliases });
  say(`Removed \`${name}\` successfully.`);
}

async function ready({ given, alias, say }: Scene): Promise<void> {
  const [name = ''] = given.operands;
  const { endpoint } = await alias(name);
  const deadline = Date.now() + READY_MS;
  for (;;) {
    const answers = await fetch(`${endpoint.url}/minio/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answers) return say(`The cluster '${name}' is ready`);
    if (Date.now() > deadline) {
      throw new HostError('host', `mc: ${endpoint.url} is not ready after ${READY_MS / 1000} s`, { subject: name });
    }
    await sleep(500);
  }
}

async function makeBuckets(scene: Scene): Promise<void> {
  if (scene.given.operands.length === 0) throw usage('mb', 'mc mb ALIAS/BUCKET');
  for (const target of scene.given.operands) await makeBucket(scene, target);
}

async function makeBucket({ given: { options }, alias, say }: Scene, target: string): Promise<void> {
  const { name, bucket } = parseTarget('mb', target);
  const client = createClient(connectionOf(name, await alias(name), options.get('region')));
  try {
    await client.createBucket(bucket);
  } catch (error) {
    const ours = error instanceof ClientError && error.code === 'already-owned';
    if (!ours || !options.has('ignore-existing')) throw error;
  } finally {
    client.close();
  }
  say(`Bucket created successfully \`${name}/${bucket}\`.`);
}

async function list({ given, alias, say }: Scene): Promise<void> {
  const [target = ''] = given.operands;
  const recursive = given.options.has('recursive');
  const [name = '', bucket = '', ...steps] = target.split('/');
  const client = createClient(connectionOf(name, await alias(name), undefined));
  try {
    if (bucket === '') {
      for (const entry of await client.listBuckets()) say(line(entry.created, 0, `${entry.name}/`));
      return;
    }
    const prefix = steps.join('/');
    for await (const entry of client.list({ bucket, prefix, delimiter: recursive ? undefined : '/' })) {
      if (entry.kind === 'prefix') say(line(undefined, 0, entry.prefix));
      else say(line(entry.modified, entry.size, entry.key));
    }
  } finally {
    client.close();
  }
}

const line = (time: number | undefined, bytes: number, name: string) =>
  `[${time === undefined ? '-' : new Date(time).toISOString()}] ${bytes}B ${name}`;

async function setVersioning({ given, alias, say }: Scene, state: 'enabled' | 'suspended'): Promise<void> {
  const { name, bucket } = parseTarget(given.command, given.operands[0] ?? '');
  const client = createBucketClient(connectionOf(name, await alias(name), undefined));
  try {
    await client.write(bucket, 'versioning', state);
  } finally {
    client.close();
  }
  say(`${name}/${bucket} versioning is ${state}`);
}

async function setAnonymous({ given, alias, say }: Scene): Promise<void> {
  const [wanted = '', target = ''] = given.operands;
  const access = anonymousAccess.find((candidate) => candidate === wanted);
  const { name, bucket } = parseTarget('anonymous set', target);
  if (access === undefined) throw usage('anonymous set', `mc anonymous set ${anonymousAccess.join('|')} ALIAS/BUCKET`);
  const policy = anonymousPolicy(bucket, access);
  const client = createBucketClient(connectionOf(name, await alias(name), undefined));
  try {
    if (policy === undefined) await client.clear(bucket, 'policy');
    else await client.write(bucket, 'policy', policy);
  } finally {
    client.close();
  }
  say(`Access permission for \`${name}/${bucket}\` is set to \`${access}\``);
}

/** `ALIAS/BUCKET`, and nothing behind it: a rule for a part of a bucket would silently be one for all of it. */
function parseTarget(command: string, target: string): { readonly name: string; readonly bucket: string } {
  const [name = '', bucket = '', ...rest] = target.replace(/\/$/, '').split('/');
  if (name === '' || bucket === '' || rest.length > 0) throw usage(command, `mc ${command} ALIAS/BUCKET`);
  return { name, bucket };
}

function connectionOf(name: string, { endpoint, credentials }: Alias, region: string | undefined): Connection {
  const provider = providerNamed('generic');
  if (provider === undefined) throw new TypeError('there is no generic profile');
  if (credentials === undefined) {
    throw new UsageError(`mc: the alias ${name} has no keys`, {
      subject: name,
      advice: `mc alias set ${name} ${endpoint.url} KEY SECRET`,
    });
  }
  return {
    endpoint,
    credentials,
    region: region || provider.defaultRegion,
    forcePathStyle: true,
    checksums: provider.checksums,
    provider,
  };
}

function usage(command: string, advice: string): UsageError {
  return new UsageError(`mc: \`${command}\` is not complete`, { subject: command, advice });
}
