import { formatBytes } from '../../core/sizes.ts';
import { label } from '../artifacts/label.ts';
import {
  type ArtifactOptions,
  artifactText,
  artifactVerb,
  printJson,
  whoAmI,
  withStore,
} from '../artifacts/session.ts';
import type { Register } from '../context.ts';
import { interruption } from '../interruption.ts';
import { progressOn } from '../progress.ts';

interface Options extends ArtifactOptions {
  readonly kind: string;
  readonly label: Readonly<Record<string, string>>;
  readonly revision?: string;
  readonly creator?: string;
}

export const artifactPush: Register = (program, context) => {
  const command = artifactVerb(program, 'push <name:version> <path>', 'Make a version of a file or a directory.')
    .option('--kind <kind>', 'what it is', 'bundle')
    .option('--label <key=value>', 'a label; may come again', label, {})
    .option('--revision <revision>', "the source's revision, such as the commit")
    .option('--creator <who>', 'who made it (default: the user, in CI the one who started it)')
    .addHelpText(
      'after',
      '\nA directory is packed so that equal contents have equal digests; content that the store has is not sent again.\nInterrupted, run it again: it goes on with the parts that are there.\n\nExample:\n  bucketwright artifact push projections/orders:1.4.2 ./dist --revision "$(git rev-parse HEAD)"',
    );
  command.action(async (reference: string, path: string, options: Options) => {
    const { parseReference, ArtifactError } = await import('../../artifacts/index.ts');
    const parsed = parseReference(reference);
    if (parsed.by !== 'version') {
      throw new ArtifactError('invalid', `${reference} names no version`, {
        subject: reference,
        advice: 'write NAME:VERSION',
      });
    }
    const progress = progressOn(context.err);
    const signals = interruption(progress.line);
    let showing = '';
    try {
      const pushed = await withStore(command, context, options, (store) =>
        store.push({
          name: parsed.name,
          version: parsed.version,
          path,
          kind: options.kind,
          labels: options.label,
          revision: options.revision,
          creator: options.creator ?? whoAmI(context),
          signal: signals.stop,
          onProgress: (step, bytes, total) => {
            if (step === 'read' || total === undefined) return;
            if (showing !== step) progress.begin('sending', total);
            showing = step;
            progress.add(bytes);
          },
        }),
      );
      progress.end();
      if (options.json === true) return printJson(context, pushed);
      const what = pushed.created ? 'pushed' : 'was there already';
      const sent = pushed.uploaded === 0 ? 'nothing had to be sent' : `${formatBytes(pushed.uploaded)} sent`;
      context.out.write(`${artifactText(pushed.artifact)}${what}; ${sent}\n`);
    } finally {
      progress.end();
      signals.release();
    }
  });
};
