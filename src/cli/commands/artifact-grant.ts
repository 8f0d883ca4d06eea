import { InvalidArgumentError } from 'commander';
import { SECOND } from '../../core/durations.ts';
import { UsageError } from '../../core/errors.ts';
import { type ApiOptionsOfCli, apiClientOf, withApi } from '../artifacts/api.ts';
import { label } from '../artifacts/label.ts';
import {
  type ArtifactOptions,
  artifactVerb,
  count,
  duration,
  printJson,
  whoAmI,
  withStore,
} from '../artifacts/session.ts';
import type { Register } from '../context.ts';

interface Options extends ArtifactOptions, ApiOptionsOfCli {
  readonly digest: string;
  readonly size: number;
  readonly mediaType: 'tar' | 'file';
  readonly title?: string;
  readonly kind: string;
  readonly label: Readonly<Record<string, string>>;
  readonly revision?: string;
  readonly creator?: string;
  readonly expires: number;
}

export const artifactGrant: Register = (program, context) => {
  const command = artifactVerb(
    program,
    'grant <name:version>',
    'Let a job without keys upload one content and make one version: prints a signed URL and a ticket.',
  )
    .requiredOption('--digest <digest>', 'of the content: `artifact pack` prints it')
    .requiredOption('--size <bytes>', 'of the content: `artifact pack` prints it', count)
    .option('--media-type <type>', 'tar (a packed directory) or file', mediaType, 'tar')
    .option('--title <name>', "the file's or directory's name (default: the last step of the artifact's)")
    .option('--kind <kind>', 'what it is', 'bundle')
    .option('--label <key=value>', 'a label; may come again', label, {})
    .option('--revision <revision>', "the source's revision, such as the commit")
    .option('--creator <who>', 'who made it (default: the user; with --api the id of the caller)')
    .option('--expires <duration>', 'URL and ticket are valid so long; at most 1d', duration, 900 * SECOND)
    .addHelpText(
      'after',
      '\nWhat is printed is a secret until it expires: give it to the job, which runs `artifact send`. At most 5 GiB.\n\nExample:\n  bucketwright artifact grant projections/orders:1.4.2 --digest sha256:… --size 3072 > grant.json',
    );
  withApi(command).action(async (reference: string, options: Options) => {
    const { checkDigest, parseReference } = await import('../../artifacts/index.ts');
    const parsed = parseReference(reference);
    if (parsed.by !== 'version') {
      throw new UsageError(`${reference} names no version`, { subject: reference, advice: 'write NAME:VERSION' });
    }
    const { name, version } = parsed;
    const { api, size, kind, revision, label: labels } = options;
    const content = {
      digest: checkDigest(options.digest),
      size,
      mediaType: mediaTypeOf[options.mediaType],
      title: options.title ?? name.slice(name.lastIndexOf('/') + 1),
    };
    const facts = { name, version, content, kind, labels, revision };
    const expires = Math.floor(options.expires / SECOND);
    if (api !== undefined) {
      const client = await apiClientOf({ ...options, api });
      const grant = await client.grantUpload({ ...facts, creator: options.creator, expires });
      return printJson(context, { ...grant, api });
    }
    await withStore(command, context, options, async (store) => {
      const creator = options.creator ?? whoAmI(context);
      const { ticket, ...grant } = await store.grantUpload({ ...facts, creator, expiresSeconds: expires });
      printJson(context, { ticket: ticket.reveal(), ...grant });
    });
  });
};

const mediaTypeOf = {
  tar: 'application/vnd.oci.image.layer.v1.tar',
  file: 'application/octet-stream',
} as const;

function mediaType(text: string): 'tar' | 'file' {
  if (text === 'tar' || text === 'file') return text;
  throw new InvalidArgumentError('must be tar or file.');
}
