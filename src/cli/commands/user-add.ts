import { readFileSync } from 'node:fs';
import { systemErrorCode, UsageError } from '../../core/errors.ts';
import { Secret } from '../../core/secret.ts';
import { type Register, withSettings } from '../context.ts';
import { checkOut, handOut, readPolicies, userNoun, userStore } from '../users.ts';

interface Options {
  readonly account?: string;
  readonly owner?: boolean;
  readonly displayName?: string;
  readonly email?: string;
  readonly policy: readonly string[];
  readonly accessKeyId?: string;
  readonly secretAccessKeyFile?: string;
  readonly out?: string;
  readonly json?: boolean;
}

export const userAdd: Register = (program, context) => {
  const command = userNoun(program).command('add <name>');
  withSettings(command)
    .description('Add a user and its first key. It may do nothing until a policy, its own or of a bucket, allows it.')
    .option('--policy <policy>', 'readwrite, readonly, writeonly, or a JSON file; may be given again', collect, [])
    .option('--account <account>', 'the account it belongs to; default: that of the root key')
    .option('--owner', 'give it all rights of its account')
    .option('--display-name <text>', "a new account's name in listings and ACLs")
    .option('--email <address>', "a new account's address, for ACL grants")
    .option('--access-key-id <id>', 'bring a key along instead of making one')
    .option('--secret-access-key-file <file>', 'the file that holds the secret of that key')
    .option('--out <file>', 'write the key to this new file, mode 0600, instead of printing it')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  bucketwright user add alice --policy readwrite --out alice.env\n  bucketwright user add loki --policy loki-policy.json\n  bucketwright user add boss --account team-b --owner',
    )
    .action(async (name: string, options: Options) => {
      checkOut(options.out);
      const { users } = userStore(command, context);
      const { account, owner, displayName, email } = options;
      const policies = readPolicies(options.policy);
      const key = await users.add({ name, account, owner, displayName, email, policies, key: givenKey(options) });
      await handOut(key, options.out, options.json === true, context);
    });
};

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function givenKey({ accessKeyId, secretAccessKeyFile: file }: Options) {
  if (accessKeyId === undefined && file === undefined) return undefined;
  if (accessKeyId === undefined || file === undefined) {
    throw new UsageError('--access-key-id and --secret-access-key-file belong together', {
      advice: 'give both or neither',
    });
  }
  try {
    return { accessKeyId, secretAccessKey: new Secret(readFileSync(file, 'utf8').trim()) };
  } catch (cause) {
    throw new UsageError(`${file} cannot be read (${systemErrorCode(cause) ?? 'unknown'})`, { subject: file, cause });
  }
}
