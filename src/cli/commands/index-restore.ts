import { resolve } from 'node:path';
import { openDirectory, restoreIndex } from '../../store/index.ts';
import { loadSettings, noun, type Register, withSettings } from '../context.ts';
import { exitCode } from '../exit.ts';
import { INDEX_NOUN } from './index-backup.ts';

export const indexRestore: Register = (program, context) => {
  const command = noun(program, 'index', INDEX_NOUN).command('restore');
  withSettings(command)
    .description('Put a copy made by index backup in the place of the index. Says what will happen; --apply does it.')
    .argument('<directory>', 'the copy')
    .option('--apply', 'do it')
    .addHelpText(
      'after',
      '\nNeeds the data directory alone: stop the server first. The present index is kept beside the new one, and no body file\nis touched: run fsck afterwards.\n\nExit codes: 0 restored, 2 nothing was changed.\n\nExample:\n  bucketwright index restore --data /var/lib/bucketwright /backup/index-2026-11-24 --apply',
    )
    .action(async (source: string, { apply }: { apply?: boolean }) => {
      const { server } = loadSettings(command, context, 'server');
      const data = resolve(server.data);
      const opened = await openDirectory(data, 'alone');
      try {
        if (apply !== true) {
          context.out.write(`replace  ${data}/index  by the copy in ${resolve(source)}\n`);
          context.out.write(`keep     the present index in ${data}/index.before-restore-…\n`);
          context.out.write('lose     from sight: what was stored since the copy (its files stay)\n');
          context.err.write('nothing was changed: --apply does\n');
          context.exit(exitCode.findings);
          return;
        }
        const kept = await restoreIndex(opened, resolve(source), new Date());
        context.out.write(`restored  ${data}/index\nkept      ${kept}\n`);
        context.err.write('run bucketwright fsck next: it names objects whose files were deleted since the copy\n');
      } finally {
        await opened.close();
      }
    });
};
