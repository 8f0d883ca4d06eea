import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../core/errors.ts';
import { listen } from '../../server/listener.ts';
import { parseSettings } from '../../settings/index.ts';
import { type CliContext, type Register, settingsInput } from '../context.ts';
import { serveInForeground } from '../embedded/foreground.ts';
import { createLogger } from '../embedded/log.ts';
import { bucketsOfDirectories } from '../minio/buckets.ts';
import { consoleHandler } from '../minio/console.ts';
import { parseIdentity, prepareDataDirectory } from '../minio/data-directory.ts';
import { planMinio } from '../minio/plan.ts';

/** `bucketwright server …` and, as the image has a program of that name, `minio server …`: MinIO's own command line. */
export const server: Register = (program, context) => {
  registerServer(program, context);
  const minio = program.command('minio', { hidden: true }).description("MinIO's command line: `minio server /data`.");
  registerServer(minio, context);
  minio
    .command('gateway', { hidden: true })
    .allowUnknownOption()
    .argument('[arguments...]')
    .action(() => {
      throw new UsageError("MinIO's gateway mode is not supported", {
        subject: 'minio gateway',
        advice: 'use `minio server /data`, or the storage behind the gateway itself',
      });
    });
};

function registerServer(parent: Command, context: CliContext): void {
  const command = parent.command('server');
  command
    .description("Run the embedded server in MinIO's place: MinIO's arguments and variables, on all interfaces.")
    .usage('[options] [directory]')
    .argument('[arguments...]', 'as behind `minio server`: one directory, --address, --console-address')
    .allowUnknownOption()
    .addHelpText(
      'after',
      '\nExample:\n  MINIO_ROOT_USER=me MINIO_ROOT_PASSWORD=a-long-one bucketwright server /data --console-address :9001\n\ndocs/how-to/instead-of-minio.md says what is taken over, and what is refused.',
    )
    .action(async (args: readonly string[]) => {
      const plan = planMinio({
        args,
        environment: context.environment,
        exists: existsSync,
        parse: (flags, environment) =>
          parseSettings({ ...settingsInput(command, { ...context, environment }, 'server'), flags }),
      });
      const logger = createLogger(context);
      for (const warning of plan.warnings) logger.warn({}, warning);
      const { settings, console } = plan;
      const data = resolve(settings.server.data);
      await prepareDataDirectory(data, parseIdentity(context.environment.BUCKETWRIGHT_RUN_AS), logger);
      const buckets = [...new Set([...plan.buckets, ...(await bucketsOfDirectories(data))])];
      await serveInForeground(settings, context, logger, { buckets, anyRegion: plan.anyRegion }, async () => {
        if (console === undefined) return async () => {};
        const page = await listen(console, consoleHandler(settings.server.listen.port));
        logger.info({}, `${page.url} answers where things are; there is no console yet`);
        return () => page.drain(1000);
      });
    });
}
