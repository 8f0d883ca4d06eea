import { UsageError } from '../../core/errors.ts';
import type { TenantEdit } from '../../settings/index.ts';
import { type Register, withSettings } from '../context.ts';
import { changeTenants } from '../tenants/change.ts';
import { manifestText, settingsOf, tenantNoun } from '../tenants/session.ts';

interface Options {
  readonly bucket?: string;
  readonly prefix: readonly string[];
  readonly principal: readonly string[];
  readonly quota?: string;
  readonly out?: string;
  readonly keys?: string;
  readonly swarmSecret?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export const tenantAdd: Register = (program, context) => {
  const command = tenantNoun(program).command('add <name>');
  withSettings(command)
    .description('Give somebody a bucket or prefixes to itself: in bucketwright.yaml, in policies, and with a key.')
    .option('--bucket <bucket>', 'a bucket of its own')
    .option('--prefix <bucket/prefix>', 'a prefix within a bucket that others use too; may be given again', collect, [])
    .option('--principal <arn>', 'its key in bucket policies, where no API makes keys; may be given again', collect, [])
    .option('--quota <size>', 'how much its own bucket may hold, such as 50GiB, where the provider can enforce it')
    .option('--out <file>', 'write the key to this new file, mode 0600, instead of printing it')
    .option('--keys <directory>', 'write the key to <name>.env in this directory, which tenant audit reads')
    .option('--swarm-secret <name>', 'make this Docker Swarm secret of the key')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe plan is shown first. Without --yes nobody is asked where there is no terminal: exit code 2, nothing changed.\n\nExamples:\n  bucketwright tenant add acme --prefix shared/acme --keys tenant-keys --yes\n  bucketwright tenant add beta --bucket beta-files --principal arn:aws:iam:::user/p123:KEYID',
    )
    .action(async (name: string, options: Options) => {
      const manifest = manifestText(command, context);
      const known = settingsOf(manifest, manifest.text).manifest.tenants.some((tenant) => tenant.name === name);
      const { bucket, prefix, principal, quota } = options;
      const given = bucket !== undefined || prefix.length > 0 || principal.length > 0 || quota !== undefined;
      if (known && given) {
        throw new UsageError(`${manifest.path} has a tenant ${name}`, {
          subject: name,
          advice: 'change it there and run bucketwright tenant apply, or leave the options out',
        });
      }
      const entry = {
        name,
        ...(bucket === undefined ? {} : { bucket }),
        ...(prefix.length === 0 ? {} : { prefixes: prefix.map(placeOf) }),
        ...(principal.length === 0 ? {} : { principals: principal }),
        ...(quota === undefined ? {} : { quota }),
      };
      const edit: TenantEdit | undefined = known ? undefined : { kind: 'add', entry };
      await changeTenants(command, context, { ...options, edit });
    });
};

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

function placeOf(text: string): { readonly bucket: string; readonly prefix: string } {
  const [, bucket, prefix] = /^([^/]+)\/+(.+)$/.exec(text) ?? [];
  if (bucket !== undefined && prefix !== undefined) return { bucket, prefix };
  throw new UsageError(`--prefix ${text} names no bucket and prefix`, {
    subject: '--prefix',
    advice: 'write it like shared/acme; a whole bucket is --bucket',
  });
}
