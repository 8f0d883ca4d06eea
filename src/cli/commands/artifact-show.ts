import { type ArtifactOptions, artifactText, artifactVerb, printJson, withStore } from '../artifacts/session.ts';
import type { Register } from '../context.ts';

export const artifactShow: Register = (program, context) => {
  const command = artifactVerb(
    program,
    'show <reference>',
    'What an artifact is; of a name alone, where its channels are.',
  ).addHelpText(
    'after',
    '\nExamples:\n  bucketwright artifact show projections/orders\n  bucketwright artifact show projections/orders@production --json',
  );
  command.action(async (reference: string, options: ArtifactOptions) => {
    await withStore(command, context, options, async (store) => {
      if (!/[:@]/.test(reference)) {
        const channels = [];
        for await (const channel of store.channels(reference)) {
          const { entry } = await store.resolve(`${reference}@${channel}`);
          if (entry !== undefined) channels.push(entry);
        }
        let versions = 0;
        for await (const _ of store.versions(reference)) versions += 1;
        if (options.json === true) return printJson(context, { name: reference, versions, channels });
        context.out.write(`${reference}: ${versions} versions, ${channels.length} channels\n`);
        for (const { channel, version, number, at, by } of channels) {
          context.out.write(`${channel.padEnd(16)}  ${version.padEnd(16)}  #${number} ${at} by ${by}\n`);
        }
        return;
      }
      const { artifact, entry } = await store.resolve(reference);
      if (options.json === true) return printJson(context, { artifact, entry });
      context.out.write(artifactText(artifact));
      if (entry !== undefined)
        context.out.write(`channel   ${entry.channel} #${entry.number} ${entry.at} by ${entry.by}\n`);
    });
  });
};
