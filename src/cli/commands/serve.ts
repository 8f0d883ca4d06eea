import { Option } from 'commander';
import { loadSettings, type Register, withSettings } from '../context.ts';
import { serveInForeground } from '../embedded/foreground.ts';
import { createLogger } from '../embedded/log.ts';

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
    // For `up --detach`: where it has sent standard error.
    .addOption(new Option('--log-file <path>').hideHelp())
    .action(async ({ logFile }: { logFile?: string }) => {
      const settings = loadSettings(command, context, 'server');
      await serveInForeground(settings, context, createLogger(context, logFile), {});
    });
};
