import { loadSettings, type Register, withSettings } from '../context.ts';
import { createLogger } from '../embedded/log.ts';
import { untilSignal } from '../embedded/signals.ts';
import { banner, startEmbedded } from '../embedded/start.ts';

export const serve: Register = (program, context) => {
  const command = program.command('serve');
  withSettings(command)
    .description(
      'Run the embedded S3 server on a data directory. Its keys are made once, into s3.env of that directory.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  bucketwright serve\n  bucketwright serve --data /var/lib/bucketwright --listen 0.0.0.0:9000',
    )
    .action(async () => {
      const settings = loadSettings(command, context, 'server');
      const logger = createLogger(context);
      const stopped = untilSignal(context);
      const server = await startEmbedded(settings, logger);
      for (const line of banner(settings, server)) {
        if (context.err.isTTY === true) context.err.write(`${line}\n`);
        else if (line.startsWith('warning: ')) logger.warn({}, line.slice('warning: '.length));
        else logger.info({}, line);
      }
      const signal = await stopped;
      logger.info({ signal }, 'draining');
      await server.close();
      logger.info({}, 'stopped');
    });
};
