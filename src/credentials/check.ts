import { join } from 'node:path';
import { createClient } from '../client/index.ts';
import type { Finding } from '../core/finding.ts';
import type { Connection } from '../providers/index.ts';
import type { Origin } from '../settings/index.ts';
import { checkInline } from './inline.ts';
import { type AgeLimit, ageFinding, checkFileAge, checkFileMode } from './key-files.ts';
import { checkReach } from './reach.ts';
import { checkStrength } from './strength.ts';

export interface CredentialsInput {
  /** Undefined: no S3 is configured; only files are looked at. */
  readonly connection: Connection | undefined;
  /** Where the secret came from. */
  readonly origin: Origin;
  /** The buckets that the configuration names. */
  readonly needed: ReadonlySet<string>;
  /** The data directory of an embedded server; its files are looked at where they are. */
  readonly data: string;
  /** Keys of the embedded server's users. */
  readonly keys: readonly { readonly user: string; readonly id: string; readonly created: number }[];
  /** Files and folders to look through for secrets. */
  readonly scan: readonly string[];
  readonly age: AgeLimit;
}

/** Looks at keys as an attacker would find them: guessed, read from a file, long kept, reaching too far. Changes nothing. */
export async function* checkCredentials(input: CredentialsInput): AsyncGenerator<Finding> {
  const { connection, origin, age, data } = input;
  const credentials = connection?.credentials;
  if (credentials !== undefined) yield checkStrength(credentials.accessKeyId, credentials.secretAccessKey);
  yield checkOrigin(origin);

  const ownFile = origin.kind === 'file' ? [origin.path] : [];
  const files = [...ownFile, ...['s3.env', 'users.json', 'users.key'].map((name) => join(data, name))];
  for (const path of new Set(files)) {
    const mode = await checkFileMode(path);
    if (mode !== undefined) yield mode;
  }

  const known = input.keys.find(({ id }) => id === credentials?.accessKeyId.reveal());
  for (const { user, id, created } of input.keys) yield ageFinding(`${id} of ${user}`, created, '', age);
  if (known === undefined && credentials !== undefined) {
    const aged = origin.kind === 'file' ? await checkFileAge(origin.path, age) : undefined;
    yield aged ?? {
      id: 'key-age',
      subject: 'S3_SECRET_ACCESS_KEY',
      status: 'skip',
      found:
        'no S3 tells the age of a key; from a file (S3_SECRET_ACCESS_KEY_FILE) it would be at least that of the file',
    };
  }

  yield* await checkInline(input.scan, credentials?.secretAccessKey);

  if (connection === undefined) return;
  const client = createClient(connection, { idleMs: 15_000 });
  try {
    yield* await checkReach(client, connection.endpoint.url, input.needed, connection.provider);
  } finally {
    client.close();
  }
}

function checkOrigin(origin: Origin): Finding {
  const facts = { id: 'key-source', subject: 'S3_SECRET_ACCESS_KEY' };
  switch (origin.kind) {
    case 'file':
      return { ...facts, status: 'ok', found: `from the file ${origin.path}` };
    case 'environment':
      return {
        ...facts,
        status: 'ok',
        found: 'from the environment; a file (S3_SECRET_ACCESS_KEY_FILE) is seen by fewer',
      };
    case 'yaml':
    case 'flag':
      return {
        ...facts,
        status: 'fail',
        found: origin.kind === 'yaml' ? `written into ${origin.path}:${origin.line}` : 'from the command line',
        expected: 'a file of its own, or the environment',
        why:
          origin.kind === 'yaml'
            ? 'configuration is copied, mailed and committed, and the key with it'
            : 'every user of the machine sees command lines',
        advice:
          'name a file by S3_SECRET_ACCESS_KEY_FILE (secretAccessKeyFile in bucketwright.yaml), and change the key',
      };
    case 'provider':
    case 'default':
    case 'unset':
      return { ...facts, status: 'skip', found: 'no key is configured' };
  }
}
