import { pino } from 'pino';
import { SECOND } from '../../core/durations.ts';
import { UsageError } from '../../core/errors.ts';
import { type ApiOptionsOfCli, withApi } from '../artifacts/api.ts';
import { type TrustOptions, trustedKeys, withTrust } from '../artifacts/keys.ts';
import { type ArtifactOptions, artifactVerb, duration, withSource } from '../artifacts/session.ts';
import type { Register } from '../context.ts';

interface Options extends ArtifactOptions, TrustOptions, ApiOptionsOfCli {
  readonly to: string;
  readonly interval?: number;
  readonly once?: boolean;
}

export const artifactWatch: Register = (program, context) => {
  const command = artifactVerb(
    program,
    'watch <name@channel> [command...]',
    'Keep a place at what a channel says, and run a command after each change.',
  )
    .requiredOption('--to <path>', 'the file, or the link to the directory')
    .option(
      '--interval <duration>',
      'between two looks (each is 1 LIST and 2 GETs; default 30s, with --api, which waits itself, 1s)',
      duration,
    )
    .option('--once', 'end after the first success')
    .addHelpText(
      'after',
      '\nThe command runs without a shell and gets BUCKETWRIGHT_ARTIFACT_NAME, _VERSION, _DIGEST and _PATH. If it fails it\nis run again, later each time, up to 5 minutes. Logs are JSON lines on standard error.\n\nExample:\n  bucketwright artifact watch projections/orders@production --to /srv/orders -- systemctl reload orders',
    );
  withApi(withTrust(command)).action(async (text: string, run: readonly string[], options: Options) => {
    const { parseReference, watch } = await import('../../artifacts/index.ts');
    const reference = parseReference(text);
    if (reference.by !== 'channel') {
      throw new UsageError(`${text} names no channel`, { subject: text, advice: 'only channels move: NAME@CHANNEL' });
    }
    const keys = await trustedKeys(options);
    const ended = new AbortController();
    const end = () => ended.abort();
    process.once('SIGINT', end);
    process.once('SIGTERM', end);
    try {
      await withSource(command, context, options, (source) =>
        watch(source, {
          reference,
          target: options.to,
          command: run,
          environment: context.environment,
          interval: options.interval ?? (options.api === undefined ? 30 * SECOND : SECOND),
          once: options.once,
          admit: async (artifact) => {
            if (keys.length > 0) await source.requireSignature(artifact, keys);
          },
          log: pino({ base: null }, pino.destination({ dest: 2, sync: true })),
          signal: ended.signal,
        }),
      );
    } finally {
      process.off('SIGINT', end);
      process.off('SIGTERM', end);
    }
  });
};
