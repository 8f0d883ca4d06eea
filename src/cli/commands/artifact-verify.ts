import type { ArtifactStore } from '../../artifacts/index.ts';
import type { Finding } from '../../core/finding.ts';
import { type ArtifactOptions, artifactVerb, withStore } from '../artifacts/session.ts';
import type { Register } from '../context.ts';
import { exitCodeOf } from '../exit.ts';
import { printFindings, summary } from '../output.ts';

interface Options extends ArtifactOptions {
  readonly content?: boolean;
}

export const artifactVerify: Register = (program, context) => {
  const command = artifactVerb(
    program,
    'verify [name]',
    'Check versions and channels: nothing missing, nothing changed, histories whole. Changes nothing.',
  )
    .option('--content', 'read every content, too; otherwise only its size is compared')
    .addHelpText('after', '\nExit codes: 0 all is well, 2 findings.');
  command.action(async (name: string | undefined, options: Options) => {
    await withStore(command, context, options, async (store) => {
      const checks = all(store, name, options.content === true);
      const findings = await printFindings(checks, context, options.json === true);
      context.exit(exitCodeOf(findings));
      if (options.json !== true) context.err.write(`${summary(findings)}\n`);
    });
  });
};

async function* all(store: ArtifactStore, name: string | undefined, content: boolean): AsyncGenerator<Finding> {
  if (name !== undefined) return yield* store.verify(name, { content });
  for await (const each of store.names()) yield* store.verify(each, { content });
}
