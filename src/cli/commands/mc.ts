import type { Register } from '../context.ts';

/** What the image's `mc` runs: the few commands of MinIO's client that compose files call to make their buckets. */
export const mc: Register = (program, context) => {
  program
    .command('mc', { hidden: true })
    .description("A few commands of MinIO's client, for init containers that call it.")
    .allowUnknownOption()
    .helpOption(false)
    .argument('[arguments...]')
    .action(async (args: readonly string[]) => {
      const { parseClientArguments } = await import('../minio/client/arguments.ts');
      const given = parseClientArguments(args);
      // Loaded when it is needed: the AWS SDK takes longer to load than all the rest.
      const { runClient } = await import('../minio/client/run.ts');
      await runClient(given, context);
    });
};
