import { resolveConnection } from '../../providers/index.ts';
import { wantedPlaces } from '../../provision/wanted.ts';
import { loadSettings, type Register, withSettings } from '../context.ts';
import { exitCodeOf } from '../exit.ts';
import { printFindings, summary } from '../output.ts';

export const verify: Register = (program, context) => {
  const command = program.command('verify');
  withSettings(command)
    .description(
      'Prove the S3 API with real requests: write, read, list, range and delete an object under each prefix.',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 all checks hold, 2 a check failed, 69 unreachable, 77 denied, 78 configuration.\n\nExample:\n  set -a; . data/s3.env; set +a; bucketwright verify',
    )
    .action(async ({ json }: { json?: boolean }) => {
      const settings = loadSettings(command, context);
      const findings = await printFindings(checks(), context, json === true);
      context.exit(exitCodeOf(findings));
      if (json !== true) context.err.write(`${summary(findings)}\n`);

      async function* checks() {
        const { storage } = settings;
        if (storage.kind === 's3') {
          const { verify: prove } = await import('../../verify/index.ts');
          return yield* prove(resolveConnection(storage), wantedPlaces(settings));
        }
        yield { id: 'storage', status: 'skip' as const, subject: 'filesystem', found: storage.notice };
      }
    });
};
