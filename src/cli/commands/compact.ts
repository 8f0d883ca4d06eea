import { resolve } from 'node:path';
import { formatBytes } from '../../core/sizes.ts';
import { compactIndex, openDirectory } from '../../store/index.ts';
import { loadSettings, type Register, withSettings } from '../context.ts';

export const compact: Register = (program, context) => {
  const command = program.command('compact');
  withSettings(command)
    .description(
      "Shrink the index's file by the room that deletes have freed inside it. Needs the data directory alone: stop the server first.",
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe index is written anew beside the old one and takes its place at once; an interruption leaves the old one. Until\nthen the disk holds both.\n\nExample:\n  bucketwright compact --data /var/lib/bucketwright',
    )
    .action(async ({ json }: { json?: boolean }) => {
      const { server } = loadSettings(command, context, 'server');
      const opened = await openDirectory(resolve(server.data), 'alone');
      try {
        const { before, after } = await compactIndex(opened);
        if (json === true) context.out.write(`${JSON.stringify({ before, after })}\n`);
        else context.out.write(`compacted  index  ${formatBytes(before)} before, ${formatBytes(after)} now\n`);
      } finally {
        await opened.close();
      }
    });
};
