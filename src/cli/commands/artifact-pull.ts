import { UsageError } from '../../core/errors.ts';
import { parseBytes } from '../../core/sizes.ts';
import { type ApiOptionsOfCli, withApi } from '../artifacts/api.ts';
import { type TrustOptions, trustedKeys, withTrust } from '../artifacts/keys.ts';
import { type ArtifactOptions, artifactVerb, count, printJson, withSource } from '../artifacts/session.ts';
import type { Register } from '../context.ts';
import { interruption } from '../interruption.ts';
import { progressOn } from '../progress.ts';

interface Options extends ArtifactOptions, TrustOptions, ApiOptionsOfCli {
  readonly to: string;
  readonly maxBytes: string;
  readonly maxEntries: number;
}

export const artifactPull: Register = (program, context) => {
  const command = artifactVerb(program, 'pull <reference>', 'Put an artifact into place: checked, whole or not at all.')
    .requiredOption('--to <path>', 'the file, or the link to the directory')
    .option('--max-bytes <size>', 'a directory with more is refused', '64GiB')
    .option('--max-entries <n>', 'a directory with more files and directories is refused', count, 200_000)
    .addHelpText(
      'after',
      '\nA reference is NAME:VERSION, NAME@CHANNEL or NAME@sha256:DIGEST. A directory becomes a link to an unpacked\ndirectory beside it; the one before is kept.\n\nExample:\n  bucketwright artifact pull projections/orders@production --to /srv/orders',
    );
  withApi(withTrust(command)).action(async (reference: string, options: Options) => {
    const bytes = parseBytes(options.maxBytes);
    if (bytes === undefined) throw new UsageError('--max-bytes must be a size such as 10GiB');
    const { parseReference, pull } = await import('../../artifacts/index.ts');
    const keys = await trustedKeys(options);
    const progress = progressOn(context.err);
    const signals = interruption(progress.line);
    try {
      await withSource(command, context, options, async (source) => {
        const { artifact, entry } = await source.resolve(parseReference(reference));
        if (keys.length > 0) await source.requireSignature(artifact, keys);
        progress.begin('pulling', artifact.content.size);
        const pulled = await pull(source, {
          artifact,
          target: options.to,
          limits: { bytes, entries: options.maxEntries },
          signal: signals.stop,
          onProgress: progress.add,
        });
        progress.end();
        if (options.json === true) return printJson(context, { ...pulled, artifact, entry });
        const state = pulled.changed ? 'in place' : 'was in place already';
        context.out.write(
          `${artifact.name}:${artifact.version} ${artifact.digest}\n${pulled.path}: ${state}, checked\n`,
        );
      });
    } finally {
      progress.end();
      signals.release();
    }
  });
};
