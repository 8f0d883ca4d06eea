import type { KeyObject } from 'node:crypto';
import { InvalidArgumentError } from 'commander';
import { checkTenant } from '../../artifacts/names.ts';
import { newToken, tokenSchema } from '../../control/tokens.ts';
import { UsageError } from '../../core/errors.ts';
import { publicKeyIn } from '../artifacts/keys.ts';
import { noun, type Register } from '../context.ts';

interface Options {
  readonly names: readonly string[];
  readonly push?: readonly string[];
  readonly publicKey?: string;
  readonly tenant?: string;
}

export const artifactToken: Register = (program, context) => {
  noun(program, 'artifact', 'Immutable versions, channels that point at them, and what runs where.')
    .command('token <id>')
    .description('Make an entry for the HTTP API: a token, shown once, of which the file holds the digest; or a key.')
    .option('--names <pattern...>', 'what it reaches: NAME, PREFIX/*, or *', ['*'])
    .option('--push <pattern...>', 'what it may grant uploads for: NAME, PREFIX/*, or *')
    .option('--public-key <file>', 'make no token: this Ed25519 key (PEM) signs the requests')
    .option('--tenant <id>', 'whose store it reads', tenant)
    .addHelpText(
      'after',
      '\nExamples:\n  bucketwright artifact token node-7 --names "projections/*"\n  bucketwright artifact token node-8 --public-key node-8.pub\n  bucketwright artifact token ci --push "projections/*"',
    )
    .action(async (id: string, options: Options) => {
      const { names, push, publicKey } = options;
      const facts = {
        id,
        names: [...names],
        ...(push === undefined ? {} : { push: [...push] }),
        ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
      };
      const made =
        publicKey === undefined
          ? newToken(facts)
          : { token: undefined, entry: { ...facts, publicKey: base64Of(await publicKeyIn(publicKey)) } };
      const parsed = tokenSchema.safeParse(made.entry);
      if (!parsed.success) {
        throw new UsageError(`${id} is no id for a token`, {
          subject: id,
          advice: 'use lower-case letters, digits and . _ -; names are not empty',
        });
      }
      const token = made.token === undefined ? {} : { token: made.token.reveal() };
      context.out.write(`${JSON.stringify({ ...token, entry: parsed.data }, null, 2)}\n`);
      const give = made.token === undefined ? '' : ', and give "token" to the node';
      context.err.write(`put "entry" into the "tokens" of the file for --tokens${give}\n`);
    });
};

const base64Of = (key: KeyObject): string => key.export({ type: 'spki', format: 'der' }).toString('base64');

function tenant(text: string): string {
  try {
    return checkTenant(text);
  } catch {
    throw new InvalidArgumentError('must hold lower-case letters, digits and dashes.');
  }
}
