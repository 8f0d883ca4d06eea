import { spawn } from 'node:child_process';
import type { Artifact } from '../../artifacts/index.ts';
import { systemErrorCode } from '../../core/errors.ts';
import type { Finding } from '../../core/finding.ts';
import { type TrustOptions, trustedKeys, withTrust } from '../artifacts/keys.ts';
import { type ArtifactOptions, artifactVerb, printJson, whoAmI, withStore } from '../artifacts/session.ts';
import type { CliContext, Register } from '../context.ts';

interface Options extends ArtifactOptions, TrustOptions {
  readonly expect?: string;
  readonly by?: string;
  readonly reason?: string;
  readonly require: readonly string[];
}

export const artifactPromote: Register = (program, context) => {
  const command = artifactVerb(
    program,
    'promote <reference> <channel>',
    'Move a channel to a version; its history is kept.',
  )
    .option('--expect <where>', 'only if the channel is there now: a version, #NUMBER, or none')
    .option('--by <who>', 'who does it (default: the user)')
    .option('--reason <text>', 'why, for the history')
    .option('--require <program...>', 'programs that must end with 0 first; each gets BUCKETWRIGHT_ARTIFACT_…', [])
    .addHelpText(
      'after',
      '\nOf several who promote at once exactly one wins; the others fail with 1 and have changed nothing.\n\nExamples:\n  bucketwright artifact promote projections/orders:1.4.2 staging\n  bucketwright artifact promote projections/orders@staging production --expect 1.4.1 --reason "ticket 812"',
    );
  withTrust(command).action(async (reference: string, channel: string, options: Options) => {
    const { parseReference } = await import('../../artifacts/index.ts');
    const keys = await trustedKeys(options);
    await withStore(command, context, options, async (store) => {
      const moved = await store.promote({
        reference: parseReference(reference),
        channel,
        expect: options.expect,
        by: options.by ?? whoAmI(context),
        reason: options.reason,
        checks: async (artifact) => {
          if (keys.length > 0) await store.requireSignature(artifact, keys);
          const findings: Finding[] = [];
          for (const each of options.require) findings.push(await runCheck(each, artifact, context));
          return findings;
        },
      });
      if (options.json === true) return printJson(context, moved);
      const { entry } = moved;
      const what = moved.changed ? 'now at' : 'was already at';
      context.out.write(`${entry.name}@${entry.channel} ${what} ${entry.version} (#${entry.number}) ${entry.digest}\n`);
    });
  });
};

async function runCheck(program: string, artifact: Artifact, context: CliContext): Promise<Finding> {
  const child = spawn(program, [], {
    stdio: ['ignore', 2, 2],
    env: {
      ...context.environment,
      BUCKETWRIGHT_ARTIFACT_NAME: artifact.name,
      BUCKETWRIGHT_ARTIFACT_VERSION: artifact.version,
      BUCKETWRIGHT_ARTIFACT_DIGEST: artifact.digest,
    },
  });
  const failure = await new Promise<string | undefined>((done) => {
    child.once('error', (error) => done(systemErrorCode(error) ?? 'it could not be started'));
    child.once('exit', (code, signal) => done(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  return {
    id: program.slice(0, 100),
    subject: artifact.digest,
    status: failure === undefined ? 'ok' : 'fail',
    found: failure ?? 'ended with 0',
  };
}
