import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { printJson } from '../artifacts/session.ts';
import { noun, type Register } from '../context.ts';

interface Options {
  readonly out?: string;
  readonly json?: boolean;
}

export const artifactPack: Register = (program, context) => {
  noun(program, 'artifact', 'Immutable versions, channels that point at them, and what runs where.')
    .command('pack <path>')
    .description('What `push` would store: its digest and size. Needs neither keys nor network.')
    .option('--out <file>', 'write the bytes there, too')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe same files have the same digest on every machine; times, owners and the order on the disk do not count.\n\nExample:\n  bucketwright artifact pack dist --json',
    )
    .action(async (path: string, options: Options) => {
      const { measure, openSource, owned } = await import('../../artifacts/index.ts');
      const source = await openSource(path);
      const { digest, size } = await measure(source);
      if (options.out !== undefined)
        await pipeline(owned(source.read()), createWriteStream(options.out, { flags: 'wx' }));
      const { mediaType, title } = source;
      if (options.json === true) return printJson(context, { digest, size, mediaType, title });
      context.out.write(`${digest}  ${size} bytes  ${mediaType}\n`);
    });
};
