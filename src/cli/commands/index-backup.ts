import { resolve } from 'node:path';
import { formatBytes } from '../../core/sizes.ts';
import { backupIndex, openDirectory } from '../../store/index.ts';
import { loadSettings, noun, type Register, withSettings } from '../context.ts';

export const INDEX_NOUN = 'The index of a data directory: what objects there are, and the small ones themselves.';

export const indexBackup: Register = (program, context) => {
  const command = noun(program, 'index', INDEX_NOUN).command('backup');
  withSettings(command)
    .description('Copy the index as it is at one moment, also beside a running server. Body files are not copied.')
    .argument('<directory>', 'where to; must not exist yet')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\ndocs/how-to/damage.md says what a copy of the index is good for, and how to copy the bodies with it.\n\nExample:\n  bucketwright index backup --data /var/lib/bucketwright /backup/index-$(date +%F)',
    )
    .action(async (target: string, { json }: { json?: boolean }) => {
      const { server } = loadSettings(command, context, 'server');
      const opened = await openDirectory(resolve(server.data), 'to read');
      try {
        const { after } = await backupIndex(opened, resolve(target));
        if (json === true) context.out.write(`${JSON.stringify({ directory: resolve(target), bytes: after })}\n`);
        else context.out.write(`copied  ${resolve(target)}  ${formatBytes(after)}\n`);
      } finally {
        await opened.close();
      }
    });
};
