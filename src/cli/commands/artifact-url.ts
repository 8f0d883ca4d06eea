import { SECOND } from '../../core/durations.ts';
import { type ArtifactOptions, artifactVerb, duration, printJson, withStore } from '../artifacts/session.ts';
import type { Register } from '../context.ts';

interface Options extends ArtifactOptions {
  readonly expires: number;
  readonly fileName?: string;
}

export const artifactUrl: Register = (program, context) => {
  const command = artifactVerb(
    program,
    'url <reference>',
    'A signed URL: whoever has it can read this content, until it expires.',
  )
    .option('--expires <duration>', 'at most 7d', duration, 900 * SECOND)
    .option('--file-name <name>', 'the name under which a browser saves it')
    .addHelpText(
      'after',
      '\nThe URL is a secret until it expires; it can be used more than once and from anywhere, S3 knows no other kind.\nCheck the digest of what you download: `sha256sum`.\n\nExample:\n  curl -fo orders.tar "$(bucketwright artifact url projections/orders@production --expires 5m)"',
    );
  command.action(async (reference: string, options: Options) => {
    await withStore(command, context, options, async (store) => {
      const { artifact } = await store.resolve(reference);
      const expiresSeconds = Math.floor(options.expires / SECOND);
      const url = await store.url({ artifact, expiresSeconds, fileName: options.fileName });
      if (options.json === true) return printJson(context, { url, expiresSeconds, content: artifact.content });
      context.out.write(`${url}\n`);
    });
  });
};
