import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { systemErrorCode, UsageError } from '../../core/errors.ts';
import {
  type ApplyStep,
  applyPlan,
  isEmptyPlan,
  type Plan,
  PlanProblemsError,
  ProvisionError,
  parseSavedPlan,
  planOncePermitted,
  remainingOf,
} from '../../provision/index.ts';
import { ask, canAsk } from '../confirm.ts';
import { type CliContext, withSettings } from '../context.ts';
import { exitCodeFor } from '../exit.ts';
import { formatError } from '../output.ts';
import { formatPlan, planDocument } from '../provision/print.ts';
import { type Session, withSession } from '../provision/session.ts';

interface Options {
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function provisionApply(parent: Command, context: CliContext): void {
  const command = parent.command('apply [plan]');
  withSettings(command)
    .description('Make the S3 API as the configuration says, after showing what changes. Never deletes a bucket.')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nEvery attribute is read back and compared. Interrupted, it is run again and goes on. With a saved plan it does exactly\nthat, and nothing when the buckets or the configuration changed since.\n\nExample:\n  bucketwright provision apply staging.plan',
    )
    .action(async (file: string | undefined, { yes, json }: Options) => {
      const saved = file === undefined ? undefined : parseSavedPlan(file, await read(file));
      await withSession(command, context, async (session) => {
        const { settings, connection, client } = session;
        const onWaiting = (text: string) => void context.err.write(`${text}\n`);
        const planned = await planOncePermitted(settings, connection, client, { onWaiting });
        if (planned.problems.length > 0) throw new PlanProblemsError(planned.problems);
        const about = { endpoint: connection.endpoint.url, environment: settings.manifest.environment };
        const plan = saved === undefined ? planned.plan : remainingOf(saved, planned, about);
        if (json !== true) context.out.write(`${formatPlan(plan, session.where, context.colors)}\n`);
        if (!isEmptyPlan(plan)) {
          if (saved === undefined && yes !== true) await confirm(context);
          await carryOut(plan, session, json === true, context);
        } else if (json === true) print(plan, [], context);
      });
    });
}

async function confirm(context: CliContext): Promise<void> {
  if (!canAsk(context)) {
    throw new UsageError('nobody can be asked whether to go on', {
      subject: '--yes',
      advice: 'look at `provision plan` first, then say --yes, or save a plan and apply that',
    });
  }
  const answer = await ask('\nDo this? Only yes goes on: ', context);
  if (answer !== 'yes') throw new ProvisionError('not-confirmed', 'not confirmed; nothing was changed');
}

async function carryOut(plan: Plan, session: Session, json: boolean, context: CliContext): Promise<void> {
  const { client, connection } = session;
  const onWaiting = (text: string) => void context.err.write(`${text}\n`);
  const steps: ApplyStep[] = [];
  let stopping = false;
  const stop = () => {
    stopping = true;
    context.err.write('\nfinishing the current step; Ctrl-C again stops at once\n');
  };
  process.once('SIGINT', stop);
  try {
    for await (const step of applyPlan(client, plan, { profile: connection.provider, onWaiting })) {
      steps.push(step);
      if (!json) context.out.write(`${stepLine(step, context)}\n`);
      if (step.error !== undefined) {
        context.err.write(`${formatError(step.error)}\n`);
        context.exit(exitCodeFor(step.error));
      }
      if (stopping) break;
    }
  } finally {
    process.off('SIGINT', stop);
  }
  if (json) print(plan, steps, context);
  const done = steps.filter(({ outcome }) => outcome !== 'failed' && outcome !== 'not-tried').length;
  const left = plan.buckets.reduce(
    (sum, { action, changes }) => sum + changes.length + (action === 'create' ? 1 : 0),
    0,
  );
  if (done === left) {
    if (!json) context.out.write(`\nApplied: ${done} ${done === 1 ? 'step' : 'steps'}.\n`);
    return;
  }
  context.exit(1);
  context.err.write(`${done} of ${left} steps are done; run it again to go on\n`);
}

function stepLine({ bucket, step, outcome }: ApplyStep, { colors }: CliContext): string {
  const paint = {
    created: colors.green,
    written: colors.green,
    removed: colors.yellow,
    failed: colors.red,
    'not-tried': colors.dim,
  };
  return `${paint[outcome](outcome.padEnd(9))}  ${bucket}${step === 'bucket' ? '' : `  ${step}`}`;
}

function print(plan: Plan, steps: readonly ApplyStep[], context: CliContext): void {
  const rows = steps.map(({ bucket, step, outcome, error }) => ({
    bucket,
    step,
    outcome,
    ...(error === undefined ? {} : { code: error.code, message: error.message, advice: error.advice }),
  }));
  context.out.write(`${JSON.stringify({ ...planDocument(plan), steps: rows }, null, 2)}\n`);
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`${path} cannot be read (${systemErrorCode(cause) ?? 'unknown'})`, { subject: path, cause });
  }
}
