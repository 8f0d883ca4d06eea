import { type ArtifactOptions, artifactVerb, printJson, withStore } from '../artifacts/session.ts';
import type { Register } from '../context.ts';

export const artifactList: Register = (program, context) => {
  const command = artifactVerb(program, 'list [name]', 'The names, or the versions of a name.');
  command.action(async (name: string | undefined, options: ArtifactOptions) => {
    await withStore(command, context, options, async (store) => {
      const rows: object[] = [];
      if (name === undefined) {
        for await (const each of store.names()) {
          rows.push({ name: each });
          if (options.json !== true) context.out.write(`${each}\n`);
        }
      } else {
        for await (const { version, pushed } of store.versions(name)) {
          const at = pushed === undefined ? undefined : new Date(pushed).toISOString();
          rows.push({ version, pushed: at });
          if (options.json !== true) context.out.write(`${version.padEnd(24)}  ${at ?? ''}\n`);
        }
      }
      if (options.json === true) printJson(context, rows);
    });
  });
};
