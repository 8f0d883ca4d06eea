import { resolve } from 'node:path';
import { parseDuration } from '../../core/durations.ts';
import { UsageError } from '../../core/errors.ts';
import { type Register, withSettings } from '../context.ts';
import { changeTenants } from '../tenants/change.ts';
import { checkDelivery, deliver } from '../tenants/deliver.ts';
import { tenantOf } from '../tenants/find.ts';
import { connectionOf, manifestText, settingsOf, tenantNoun, tenantUsers } from '../tenants/session.ts';
import { untilNoticed } from '../users.ts';

interface Options {
  readonly overlap: string;
  readonly principal?: string;
  readonly end?: string;
  readonly out?: string;
  readonly swarmSecret?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export const tenantRotate: Register = (program, context) => {
  const command = tenantNoun(program).command('rotate <name>');
  withSettings(command)
    .description('Give a tenant a new key. The old ones go on working for a while, so that nothing breaks.')
    .option('--overlap <duration>', 'how long the old keys work on; 0s ends them at once', '24h')
    .option('--principal <arn>', 'the new key, made in the console, beside the old one (bucket policies)')
    .option('--end <arn>', 'the old key, when the new one is everywhere (bucket policies)')
    .option('--out <file>', 'write the key to this new file, mode 0600, instead of printing it')
    .option('--swarm-secret <name>', 'make this Docker Swarm secret of the key')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  bucketwright tenant rotate acme --overlap 1h --out acme-2.env\n  bucketwright tenant rotate acme --principal arn:aws:iam:::user/p123:NEWKEY\n  bucketwright tenant rotate acme --end arn:aws:iam:::user/p123:OLDKEY',
    )
    .action(async (name: string, options: Options) => {
      const { principal, end, out, swarmSecret } = options;
      const manifest = manifestText(command, context);
      const settings = settingsOf(manifest, manifest.text);
      const tenant = tenantOf(settings, name);
      const users = tenantUsers(settings, connectionOf(settings));
      if (users === undefined) {
        const principals = [
          ...tenant.principals.filter((one) => one !== end),
          ...(principal === undefined ? [] : [principal]),
        ];
        if (principal === undefined && end === undefined) {
          throw new UsageError('this provider has no API that makes keys', {
            advice: `bucketwright tenant credentials ${name} tells how; then --principal names the new key, and --end later the old one`,
          });
        }
        await changeTenants(command, context, { ...options, edit: { kind: 'principals', name, principals } });
        return;
      }
      if (principal !== undefined || end !== undefined) {
        throw new UsageError('--principal and --end are for providers with bucket policies', {
          advice: 'leave them out: the embedded server makes the key',
        });
      }
      const overlap = /^0[a-z]*$/.test(options.overlap) ? 0 : parseDuration(options.overlap);
      if (overlap === undefined) {
        throw new UsageError('--overlap is no duration', { subject: '--overlap', advice: 'write it like 24h or 0s' });
      }
      checkDelivery({ out, swarmSecret }, [name]);
      const { replaced, until, ...key } = await users.rotate(name, overlap);
      const shown = await deliver(key, { out, swarmSecret });
      await untilNoticed(resolve(settings.server.data));
      if (options.json === true) {
        context.out.write(`${JSON.stringify({ ...shown, replaced, until }, null, 2)}\n`);
        return;
      }
      const { secretAccessKey } = shown;
      if (secretAccessKey === undefined) {
        context.out.write(
          `key ${key.accessKeyId} of ${name} is in ${shown.file ?? `the Swarm secret ${swarmSecret}`}\n`,
        );
      } else {
        context.out.write(`S3_ACCESS_KEY_ID=${key.accessKeyId}\nS3_SECRET_ACCESS_KEY=${secretAccessKey}\n`);
        context.err.write('the secret is not shown again\n');
      }
      if (replaced.length > 0) {
        context.err.write(`${replaced.join(', ')} ${overlap === 0 ? 'no longer works' : `works until ${until}`}\n`);
      }
    });
};
