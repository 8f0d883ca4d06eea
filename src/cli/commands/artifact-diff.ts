import { type ArtifactOptions, artifactVerb, printJson, withStore } from '../artifacts/session.ts';
import type { Register } from '../context.ts';
import { exitCode } from '../exit.ts';

const marks = { added: '+', removed: '-', changed: '~', mode: 'm' } as const;

export const artifactDiff: Register = (program, context) => {
  const command = artifactVerb(
    program,
    'diff <before> <after>',
    'What differs between two artifacts, file by file.',
  ).addHelpText(
    'after',
    '\nExit codes: 0 the contents are equal, 2 they differ.\n\nExample:\n  bucketwright artifact diff projections/orders@production projections/orders:1.4.2',
  );
  command.action(async (first: string, second: string, options: ArtifactOptions) => {
    await withStore(command, context, options, async (store) => {
      const before = (await store.resolve(first)).artifact;
      const after = (await store.resolve(second)).artifact;
      const differences = await store.diff(before, after);
      if (differences.length > 0) context.exit(exitCode.findings);
      if (options.json === true) return printJson(context, { before, after, differences });
      context.out.write(`${before.name}:${before.version} → ${after.name}:${after.version}\n`);
      if (before.revision !== after.revision) {
        context.out.write(`revision ${before.revision ?? '(none)'} → ${after.revision ?? '(none)'}\n`);
      }
      for (const { path, change } of differences) context.out.write(`${marks[change]} ${path}\n`);
      if (differences.length === 0) context.out.write('the contents are equal\n');
    });
  });
};
