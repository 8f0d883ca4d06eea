import { type ArtifactOptions, artifactVerb, count, printJson, whoAmI, withStore } from '../artifacts/session.ts';
import type { Register } from '../context.ts';

interface Options extends ArtifactOptions {
  readonly to?: number;
  readonly expect?: string;
  readonly by?: string;
  readonly reason?: string;
}

export const artifactRollback: Register = (program, context) => {
  const command = artifactVerb(
    program,
    'rollback <name> <channel>',
    'Move a channel back to where it was before; the history grows by that step.',
  )
    .option('--to <number>', 'to where this entry of the history led (default: the last other artifact)', count)
    .option('--expect <where>', 'only if the channel is there now: a version, or #NUMBER')
    .option('--by <who>', 'who does it (default: the user)')
    .option('--reason <text>', 'why, for the history')
    .addHelpText(
      'after',
      '\nExample:\n  bucketwright artifact rollback projections/orders production --reason "errors since 14:10"',
    );
  command.action(async (name: string, channel: string, options: Options) => {
    await withStore(command, context, options, async (store) => {
      const { to, expect, reason, by = whoAmI(context) } = options;
      const moved = await store.rollback({ name, channel, to, expect, by, reason });
      if (options.json === true) return printJson(context, moved);
      const { entry } = moved;
      const what = moved.changed ? 'back at' : 'was already at';
      context.out.write(`${entry.name}@${entry.channel} ${what} ${entry.version} (#${entry.number}) ${entry.digest}\n`);
    });
  });
};
