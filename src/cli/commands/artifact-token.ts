import { InvalidArgumentError } from 'commander';
import { checkTenant } from '../../artifacts/names.ts';
import { newToken, tokenSchema } from '../../control/tokens.ts';
import { UsageError } from '../../core/errors.ts';
import { noun, type Register } from '../context.ts';

interface Options {
  readonly names: readonly string[];
  readonly tenant?: string;
}

export const artifactToken: Register = (program, context) => {
  noun(program, 'artifact', 'Immutable versions, channels that point at them, and what runs where.')
    .command('token <id>')
    .description('Make a token for the HTTP API. It is shown once; the file of `artifact serve` holds only its digest.')
    .option('--names <pattern...>', 'what it reaches: NAME, PREFIX/*, or *', ['*'])
    .option('--tenant <id>', 'whose store it reads', tenant)
    .addHelpText('after', '\nExample:\n  bucketwright artifact token node-7 --names "projections/*"')
    .action((id: string, options: Options) => {
      const { token, entry } = newToken({ id, names: [...options.names], tenant: options.tenant });
      const parsed = tokenSchema.safeParse(entry);
      if (!parsed.success) {
        throw new UsageError(`${id} is no id for a token`, {
          subject: id,
          advice: 'use lower-case letters, digits and . _ -; names are not empty',
        });
      }
      context.out.write(`${JSON.stringify({ token: token.reveal(), entry: parsed.data }, null, 2)}\n`);
      context.err.write('put "entry" into the "tokens" of the file for --tokens, and give "token" to the node\n');
    });
};

function tenant(text: string): string {
  try {
    return checkTenant(text);
  } catch {
    throw new InvalidArgumentError('must hold lower-case letters, digits and dashes.');
  }
}
