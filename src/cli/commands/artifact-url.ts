import { SECOND } from '../../core/durations.ts';
import { UsageError } from '../../core/errors.ts';
import { type ApiOptionsOfCli, apiClientOf, withApi } from '../artifacts/api.ts';
import { type ArtifactOptions, artifactVerb, duration, printJson, withStore } from '../artifacts/session.ts';
import type { Register } from '../context.ts';

interface Options extends ArtifactOptions, ApiOptionsOfCli {
  readonly method: string;
  readonly once?: boolean;
  readonly address?: string;
  readonly expires: number;
  readonly fileName?: string;
}

export const artifactUrl: Register = (program, context) => {
  const command = artifactVerb(
    program,
    'url <reference>',
    'A signed URL: whoever has it can read this content, until it expires.',
  )
    .option('--expires <duration>', 'at most 7d', duration, 900 * SECOND)
    .option('--method <method>', 'GET, or HEAD to look only; for a PUT see `artifact grant`', 'GET')
    .option('--file-name <name>', 'the name under which a browser saves it')
    .option('--once', 'with --api: it can be used once')
    .option('--address <ip>', 'with --api: it can be used from this address or network only')
    .addHelpText(
      'after',
      '\nThe URL is a secret until it expires. S3 knows no URLs for one use or one address: --once and --address need\n`artifact serve --allow-writes`, which then sends the bytes itself. Check the digest of what you download: `sha256sum`.\n\nExamples:\n  curl -fo orders.tar "$(bucketwright artifact url projections/orders@production --expires 5m)"\n  bucketwright artifact url projections/orders:1.4.2 --once --api https://artifacts.example.com --token-file token',
    );
  withApi(command).action(async (reference: string, options: Options) => {
    const { once, address, api, fileName } = options;
    const seconds = Math.floor(options.expires / SECOND);
    const method = options.method.toUpperCase();
    if (method !== 'GET' && method !== 'HEAD') {
      throw new UsageError(`a URL to ${options.method} an artifact is not made here`, {
        subject: '--method',
        advice: 'bucketwright artifact grant makes one for exactly one content and version',
      });
    }
    if (api !== undefined) {
      if (method === 'HEAD') {
        throw new UsageError("the HTTP API's links are for GET", { subject: '--method', advice: 'leave --api out' });
      }
      const client = await apiClientOf({ ...options, api });
      const link = await client.makeLink({ reference, expires: seconds, once: once === true, address, fileName });
      if (options.json === true) return printJson(context, link);
      return void context.out.write(`${link.url}\n`);
    }
    if (once === true || address !== undefined) {
      throw new UsageError("S3's signed URLs cannot be limited to one use or one address", {
        subject: once === true ? '--once' : '--address',
        advice: 'name an HTTP API that can: --api URL of bucketwright artifact serve --allow-writes',
      });
    }
    await withStore(command, context, options, async (store) => {
      const { artifact } = await store.resolve(reference);
      const expiresSeconds = seconds;
      const url = store.url({ artifact, method, expiresSeconds, fileName });
      if (options.json === true) return printJson(context, { url, expiresSeconds, content: artifact.content });
      context.out.write(`${url}\n`);
    });
  });
};
