import { UsageError } from '../../core/errors.ts';
import { writeFileDurably } from '../../fs/durable.ts';
import { renderCredentialsFile } from '../../stack/index.ts';
import { loadSettings, noun, type Register, withSettings } from '../context.ts';

export const renderCredentials: Register = (program, context) => {
  const command = noun(program, 'render', 'Write the configuration of Loki, Tempo and their stack.').command(
    'credentials',
  );
  withSettings(command)
    .description('Write the AWS credentials file that Loki and Tempo read their keys from. It holds the secret key.')
    .option('--output <file>', 'write it to this file, mode 0600')
    .addHelpText(
      'after',
      '\nExamples:\n  bucketwright render credentials | docker secret create s3_credentials_v1 -\n  bucketwright render credentials --output s3-credentials',
    )
    .action(async ({ output }: { output?: string }) => {
      const { storage } = loadSettings(command, context);
      if (storage.kind === 'filesystem') {
        throw new UsageError(`there are no keys: ${storage.notice}`, {
          advice: 'set S3_ENDPOINT, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, or S3_SECRET_ACCESS_KEY_FILE',
        });
      }
      const text = renderCredentialsFile(storage.credentials);
      if (output !== undefined) await writeFileDurably(output, text);
      else if (context.out.isTTY === true) {
        throw new UsageError('a terminal would show the secret key', { advice: 'pipe it on, or use --output FILE' });
      } else context.out.write(text);
    });
};
