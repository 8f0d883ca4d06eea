import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../../core/durations.ts';
import { resolveConnection } from '../../providers/index.ts';
import { wantedPlaces } from '../../provision/wanted.ts';
import { UserStore } from '../../users/index.ts';
import { loadSettings, noun, type Register, withSettings } from '../context.ts';
import { exitCode, exitCodeOf } from '../exit.ts';
import { printFindings, summary } from '../output.ts';

interface Options {
  readonly maxAge: number;
  readonly scan: readonly string[];
  readonly strict?: boolean;
  readonly json?: boolean;
}

export const credentialsCheck: Register = (program, context) => {
  const command = noun(program, 'credentials', 'The keys that are used, and how well they are kept.').command('check');
  withSettings(command)
    .description('Look at the keys: can they be guessed, who can read them, how old are they, what do they reach.')
    .option('--max-age <duration>', 'older keys are named', duration, parseDuration('90d') ?? 0)
    .option('--scan <path...>', 'files and folders to look through for secrets', ['.'])
    .option('--strict', 'warnings count as findings')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nChanges nothing; of other buckets it reads one page of the listing. No secret is ever printed.\n\nExit codes: 0 nothing wrong, 2 findings, 69 unreachable, 77 the key is refused.\n\nExample, for cron:\n  bucketwright credentials check --strict --max-age 180d --scan /srv/stack',
    )
    .action(async (options: Options) => {
      const settings = loadSettings(command, context);
      const { storage, server } = settings;
      const data = resolve(server.data);
      const { checkCredentials } = await import('../../credentials/index.ts');
      const source = settings.effective.find(({ name }) => name === 'S3_SECRET_ACCESS_KEY');
      const keys = new UserStore(data, server.serverKey)
        .list()
        .flatMap(({ name, keys: each }) =>
          each.map(({ id, created }) => ({ user: name, id, created: Date.parse(created) })),
        );
      const checks = checkCredentials({
        connection: storage.kind === 's3' ? resolveConnection(storage) : undefined,
        origin: source?.origin ?? { kind: 'unset' },
        needed: new Set(wantedPlaces(settings).map(({ bucket }) => bucket)),
        data,
        keys,
        scan: options.scan,
        age: { now: Date.now(), maxAge: options.maxAge },
      });
      const findings = await printFindings(checks, context, options.json === true);
      context.exit(exitCodeOf(findings));
      if (options.strict === true && findings.some(({ status }) => status === 'warn')) context.exit(exitCode.findings);
      if (options.json !== true) context.err.write(`${summary(findings)}\n`);
    });
};

function duration(text: string): number {
  const value = parseDuration(text);
  if (value === undefined || value === 0) throw new InvalidArgumentError('must be a duration such as 90d.');
  return value;
}
