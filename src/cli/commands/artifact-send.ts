import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { systemErrorCode, UsageError } from '../../core/errors.ts';
import { apiClientOf } from '../artifacts/api.ts';
import { printJson } from '../artifacts/session.ts';
import { noun, type Register } from '../context.ts';
import { interruption } from '../interruption.ts';
import { progressOn } from '../progress.ts';

interface Options {
  readonly grant: string;
  readonly json?: boolean;
}

/** What `artifact grant` prints. */
const grantFile = z.object({
  ticket: z.string(),
  expires: z.string(),
  upload: z.object({ url: z.url(), headers: z.record(z.string(), z.string()) }).optional(),
  /** Where the version can be made; without it somebody with keys does it. */
  api: z.string().optional(),
});

export const artifactSend: Register = (program, context) => {
  noun(program, 'artifact', 'Immutable versions, channels that point at them, and what runs where.')
    .command('send <path>')
    .description('Upload what was granted, without keys; where the grant came from an API, make the version, too.')
    .requiredOption('--grant <file>', 'what `artifact grant` printed; - reads standard input')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  bucketwright artifact send dist --grant grant.json')
    .action(async (path: string, options: Options) => {
      const { measure, openSource, sendContent } = await import('../../artifacts/index.ts');
      const grant = readGrant(options.grant);
      const source = await openSource(path);
      const progress = progressOn(context.err);
      const signals = interruption(progress.line);
      try {
        if (grant.upload !== undefined) {
          const { size } = await measure(source, { signal: signals.stop });
          progress.begin('sending', size);
          await sendContent({ ...grant.upload, source, signal: signals.abort, onProgress: progress.add });
          progress.end();
        }
      } finally {
        progress.end();
        signals.release();
      }
      const sent = grant.upload === undefined ? 'nothing had to be sent' : 'sent';
      if (grant.api === undefined) {
        if (options.json === true) return printJson(context, { sent: grant.upload !== undefined });
        return void context.out.write(
          `${sent}; whoever granted it now makes the version: bucketwright artifact finish\n`,
        );
      }
      const client = await apiClientOf({ api: grant.api });
      const { artifact, created } = await client.finishUpload(grant.ticket);
      if (options.json === true) return printJson(context, { sent: grant.upload !== undefined, artifact, created });
      const what = created ? 'made' : 'was there already';
      context.out.write(`${sent}\n${artifact.name}:${artifact.version} ${artifact.digest}\n${what}\n`);
    });
};

function readGrant(path: string): z.output<typeof grantFile> {
  let text: string;
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown';
    throw new UsageError(`${path} cannot be read (${code})`, { subject: path, advice: 'check --grant', cause: error });
  }
  try {
    return grantFile.parse(JSON.parse(text));
  } catch {
    throw new UsageError(`${path} is not what \`artifact grant\` printed`, { subject: path, advice: 'check --grant' });
  }
}
