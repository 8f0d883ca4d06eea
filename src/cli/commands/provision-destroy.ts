import type { Command } from 'commander';
import { ClientError } from '../../client/errors.ts';
import { UsageError } from '../../core/errors.ts';
import { ProvisionError, readBucket } from '../../provision/index.ts';
import { ask, canAsk } from '../confirm.ts';
import { type CliContext, withSettings } from '../context.ts';
import { withSession } from '../provision/session.ts';

interface Options {
  readonly confirm?: string;
  readonly deleteObjects?: boolean;
  readonly confirmObjects?: string;
  readonly json?: boolean;
}

/** Counting further would say no more. */
const COUNT_LIMIT = 10_000;

export function provisionDestroy(parent: Command, context: CliContext): void {
  const command = parent.command('destroy <bucket>');
  withSettings(command)
    .description('Delete one bucket for good. Its name must be typed; one with objects is refused unless told twice.')
    .option('--confirm <bucket>', 'the name once more, where nobody can be asked')
    .option('--delete-objects', 'also delete every object and version in it')
    .option('--confirm-objects <bucket>', 'the name a third time, for the objects, where nobody can be asked')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  bucketwright provision destroy acme-scratch --confirm acme-scratch')
    .action(async (bucket: string, options: Options) => {
      await withSession(command, context, async ({ connection, client, where }) => {
        const live = await readBucket(client, bucket);
        if (live.presence !== 'present') {
          const code = live.presence === 'absent' ? 'no-such-bucket' : 'denied';
          const text = live.presence === 'absent' ? 'there is no such bucket' : 'this key may not look at it';
          throw new ClientError(code, `${bucket}: ${text}; nothing was deleted`, { subject: bucket });
        }
        const { createBucketContents } = await import('../../client/index.ts');
        const contents = createBucketContents(connection);
        try {
          const { objects, more } = await contents.count(bucket, COUNT_LIMIT);
          const amount = `${more ? 'more than ' : ''}${objects} ${objects === 1 ? 'object' : 'objects'}`;
          context.err.write(`At ${where} this is to be done:\n\n  - bucket "${bucket}" with ${amount}\n\n`);
          if (objects > 0 && options.deleteObjects !== true) {
            throw new ProvisionError('bucket-not-empty', `${bucket} holds ${amount}; nothing was deleted`, {
              subject: bucket,
              advice: 'move them (bucketwright transfer), or say --delete-objects',
            });
          }
          await confirm(
            `Type the bucket's name to delete it for good: `,
            '--confirm',
            options.confirm,
            bucket,
            context,
          );
          if (objects > 0) {
            const question = `It holds ${amount}, which cannot be had back. Type the name again: `;
            await confirm(question, '--confirm-objects', options.confirmObjects, bucket, context);
          }
          let removed = 0;
          const failed = await contents.empty(bucket, (count) => {
            removed += count;
            if (context.err.isTTY === true) context.err.write(`\r${removed} deleted`);
          });
          if (removed > 0 && context.err.isTTY === true) context.err.write('\n');
          if (failed.length > 0) {
            throw new ProvisionError(
              'bucket-not-empty',
              `${bucket}: ${failed.length} objects could not be deleted, such as ${failed[0]}`,
              {
                subject: bucket,
                advice: 'they may be locked: wait until their retention is over',
              },
            );
          }
          await client.remove(bucket);
          if (options.json === true) {
            context.out.write(`${JSON.stringify({ bucket, destroyed: true, objects: removed }, null, 2)}\n`);
          } else context.out.write(`${context.colors.red('destroyed')}  ${bucket}\n`);
        } finally {
          contents.close();
        }
      });
    });
}

async function confirm(
  question: string,
  flag: string,
  given: string | undefined,
  bucket: string,
  context: CliContext,
): Promise<void> {
  if (given === undefined && !canAsk(context)) {
    throw new UsageError('nobody can be asked for the name', { subject: flag, advice: `say ${flag} ${bucket}` });
  }
  const typed = given ?? (await ask(question, context));
  if (typed !== bucket) {
    throw new ProvisionError('not-confirmed', 'the name does not match; nothing was deleted', { subject: bucket });
  }
}
