import { readFile } from 'node:fs/promises';
import { systemErrorCode, UsageError } from '../../core/errors.ts';
import type { Finding } from '../../core/finding.ts';
import {
  checkLifecycle,
  checkLiveLifecycle,
  checkLoki,
  checkSharedBucket,
  checkTempo,
  checkVolumes,
  lokiDirectories,
  parseLifecycleJson,
  tempoDirectories,
} from '../../observability/check/index.ts';
import { resolveConnection } from '../../providers/index.ts';
import type { Settings } from '../../settings/index.ts';
import { type StackModel, stackModel } from '../../stack/index.ts';
import { loadSettings, noun, type Register, withSettings } from '../context.ts';
import { exitCodeOf } from '../exit.ts';
import { printFindings, summary } from '../output.ts';

interface Options {
  readonly loki?: string;
  readonly tempo?: string;
  readonly compose?: string;
  readonly lokiLifecycle?: string;
  readonly tempoLifecycle?: string;
  readonly live?: boolean;
  readonly json?: boolean;
}

export const observabilityCheck: Register = (program, context) => {
  const command = noun(program, 'observability', 'Loki and Tempo on S3.').command('check');
  withSettings(command)
    .description('Look for what goes wrong with Loki and Tempo on S3 in the files you have, beside the settings.')
    .option('--loki <file>', "Loki's configuration")
    .option('--tempo <file>', "Tempo's configuration")
    .option('--compose <file>', 'the compose or stack file that runs them: are their directories on volumes?')
    .option(
      '--loki-lifecycle <file>',
      "the rules of Loki's bucket, as `aws s3api get-bucket-lifecycle-configuration` prints them",
    )
    .option('--tempo-lifecycle <file>', "the rules of Tempo's bucket")
    .option('--live', 'look at the buckets that the settings name, even where no file is given')
    .option('--no-live', 'look at the files alone (without this, at the buckets too if they can be reached)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing fails (warnings may be there), 2 something does, 64 usage, 78 configuration.\n\nExample:\n  bucketwright observability check --loki /etc/loki/config.yml --tempo /etc/tempo/config.yml --compose docker-compose.yml',
    )
    .action(async (options: Options) => {
      const settings = loadSettings(command, context);
      const model = stackModel(settings);
      const findings = await check(options, model, settings.storage.kind === 's3');
      findings.push(...(await checkLive(settings, model, options)));
      if (findings.length === 0) {
        throw new UsageError('there is nothing to check', {
          advice: 'name a file: --loki, --tempo, --compose; or say --live for the buckets alone',
        });
      }
      await printFindings(each(findings), context, options.json === true, { why: true });
      context.exit(exitCodeOf(findings));
      if (options.json !== true) context.err.write(`${summary(findings)}\n`);
    });
};

/** The rules that are in force, whoever made them, of each program whose file was named; `--live` means both. */
async function checkLive({ storage }: Settings, model: StackModel, options: Options): Promise<readonly Finding[]> {
  const asked = options.live === true;
  const programs = (['loki', 'tempo'] as const).filter((name) => asked || options[name] !== undefined);
  if (options.live === false || (storage.kind === 'filesystem' && !asked)) return [];
  if (storage.kind === 'filesystem') {
    throw new UsageError('there are no buckets to look at', { subject: '--live', advice: storage.notice });
  }
  const { createBucketClient } = await import('../../client/configuration/bucket-client.ts');
  const client = createBucketClient(resolveConnection(storage), asked ? {} : { attempts: 1, timeoutMs: 5_000 });
  try {
    const findings: Finding[] = [];
    for (const program of programs) {
      if (options[`${program}Lifecycle`] !== undefined) continue;
      const { bucket, prefixName: prefix } = model[program];
      const retention = program === 'loki' ? model.retention.logs : model.retention.traces;
      findings.push(...(await checkLiveLifecycle(client, { program, bucket, prefix, retention })));
    }
    return findings;
  } finally {
    client.close();
  }
}

async function check(options: Options, model: StackModel, onS3: boolean): Promise<Finding[]> {
  const wanted = (use: 'loki' | 'tempo') =>
    onS3 ? { store: model.store, bucket: model[use].bucket, prefix: model[use].prefixName } : undefined;
  const { logs, traces } = model.retention;
  const [loki, tempo, compose] = await Promise.all([options.loki, options.tempo, options.compose].map(read));
  const rules = await Promise.all([options.lokiLifecycle, options.tempoLifecycle].map(read));
  const findings: Finding[] = [];
  if (loki !== undefined) {
    findings.push(
      ...checkLoki({
        ...loki,
        wanted: wanted('loki'),
        prefix: model.loki.prefixName,
        retention: logs,
        now: Date.now(),
      }),
    );
  }
  if (tempo !== undefined) findings.push(...checkTempo({ ...tempo, wanted: wanted('tempo'), retention: traces }));
  if (loki !== undefined && tempo !== undefined) findings.push(...checkSharedBucket(loki.text, tempo.text));
  if (compose !== undefined) {
    const directories = {
      ...(loki === undefined ? {} : { loki: lokiDirectories(loki.text) }),
      ...(tempo === undefined ? {} : { tempo: tempoDirectories(tempo.text) }),
    };
    findings.push(...checkVolumes(compose.subject, compose.text, directories));
  }
  for (const [index, file] of rules.entries()) {
    if (file === undefined) continue;
    const [use, retention] = index === 0 ? (['loki', logs] as const) : (['tempo', traces] as const);
    const { bucket, prefixName: prefix } = model[use];
    const parsed = parseLifecycleJson(file.subject, file.text);
    findings.push(...checkLifecycle({ program: use, bucket, prefix, rules: parsed, retention }));
  }
  return findings;
}

async function read(path: string | undefined): Promise<{ subject: string; text: string } | undefined> {
  if (path === undefined) return undefined;
  try {
    return { subject: path, text: await readFile(path, 'utf8') };
  } catch (cause) {
    throw new UsageError(`${path} cannot be read (${systemErrorCode(cause) ?? 'unknown'})`, { subject: path, cause });
  }
}

async function* each(findings: readonly Finding[]) {
  yield* findings;
}
