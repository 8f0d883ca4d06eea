import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { ClientError } from '../../client/errors.ts';
import { UsageError } from '../../core/errors.ts';
import { writeFileDurably } from '../../fs/durable.ts';
import { importBuckets, readLive } from '../../provision/index.ts';
import { type CliContext, withSettings } from '../context.ts';
import { exitCodeFor } from '../exit.ts';
import { formatError } from '../output.ts';
import { withSession } from '../provision/session.ts';

export function provisionImport(parent: Command, context: CliContext): void {
  const command = parent.command('import [buckets...]');
  withSettings(command)
    .description('Write down buckets as they are, for bucketwright.yaml. Without names: all of the account.')
    .option('--out <file>', 'write a new file instead of standard output')
    .addHelpText('after', '\nExample:\n  bucketwright provision import acme-media --out buckets.yaml')
    .action(async (names: readonly string[], { out }: { out?: string }) => {
      if (out !== undefined && existsSync(out)) {
        throw new UsageError(`${out} exists`, { subject: out, advice: 'name another file; nothing is overwritten' });
      }
      await withSession(command, context, async ({ client }) => {
        const wanted = names.length > 0 ? names : await client.list();
        const live = await readLive(client, wanted);
        for (const { name, presence } of live) {
          if (presence === 'present') continue;
          const code = presence === 'absent' ? 'no-such-bucket' : 'denied';
          const text = presence === 'absent' ? 'there is no such bucket' : 'this key may not look at it';
          const error = new ClientError(code, `${name}: ${text}`, { subject: name });
          context.err.write(`${formatError(error)}\n`);
          context.exit(exitCodeFor(error));
        }
        const { yaml, notes } = importBuckets(live.filter(({ presence }) => presence === 'present'));
        for (const note of notes) context.err.write(`note: ${note}\n`);
        if (out === undefined) context.out.write(yaml);
        else {
          await writeFileDurably(out, yaml, 0o644);
          context.err.write(`written  ${out}\n`);
        }
      });
    });
}
