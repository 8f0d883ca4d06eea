import { type ArtifactOptions, artifactVerb, count, printJson, withStore } from '../artifacts/session.ts';
import type { Register } from '../context.ts';

interface Options extends ArtifactOptions {
  readonly limit: number;
}

export const artifactHistory: Register = (program, context) => {
  const command = artifactVerb(program, 'history <name> <channel>', 'Where a channel was, newest first.').option(
    '--limit <n>',
    'at most so many entries',
    count,
    50,
  );
  command.action(async (name: string, channel: string, options: Options) => {
    await withStore(command, context, options, async (store) => {
      const entries = [];
      for await (const entry of store.history(name, channel)) {
        if (entries.length >= options.limit) break;
        entries.push(entry);
        if (options.json === true) continue;
        const { number, at, action, version, by, reason } = entry;
        const why = reason === undefined ? '' : `: ${reason}`;
        context.out.write(
          `#${String(number).padEnd(5)} ${at}  ${action.padEnd(8)}  ${version.padEnd(16)}  by ${by}${why}\n`,
        );
      }
      if (options.json === true) printJson(context, entries);
    });
  });
};
