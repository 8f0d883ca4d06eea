import { type ArtifactOptions, artifactText, artifactVerb, printJson, withStore } from '../artifacts/session.ts';
import type { Register } from '../context.ts';

export const artifactFinish: Register = (program, context) => {
  const command = artifactVerb(
    program,
    'finish <ticket>',
    'Make the version of a granted upload that has arrived, with S3 keys.',
  ).addHelpText(
    'after',
    '\nWhere the grant came from an API, `artifact send` does this itself.\n\nExample:\n  bucketwright artifact finish "$(jq -r .ticket grant.json)"',
  );
  command.action(async (ticket: string, options: ArtifactOptions) => {
    const { parseTicket } = await import('../../artifacts/index.ts');
    const { tenant } = parseTicket(ticket, 'upload');
    await withStore(command, context, tenant === undefined ? options : { ...options, tenant }, async (store) => {
      const made = await store.finishUpload(ticket);
      if (options.json === true) return printJson(context, made);
      context.out.write(`${artifactText(made.artifact)}${made.created ? 'made' : 'was there already'}\n`);
    });
  });
};
