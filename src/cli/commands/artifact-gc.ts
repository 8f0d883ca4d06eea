import { DAY } from '../../core/durations.ts';
import { formatBytes } from '../../core/sizes.ts';
import { type ArtifactOptions, artifactVerb, count, duration, printJson, withStore } from '../artifacts/session.ts';
import type { Register } from '../context.ts';
import { exitCode } from '../exit.ts';
import { interruption } from '../interruption.ts';

interface Options extends ArtifactOptions {
  readonly apply?: boolean;
  readonly versions: number;
  readonly entries: number;
  readonly grace: number;
  readonly spare?: string;
}

export const artifactGc: Register = (program, context) => {
  const command = artifactVerb(program, 'gc', 'Remove content that nothing needs: shows the plan; --apply does it.')
    .option('--apply', 'do what the plan says')
    .option('--versions <n>', 'of each name, the content of so many newest versions stays', count, 10)
    .option('--entries <n>', 'of each channel, the content of so many newest entries stays', count, 10)
    .option('--grace <duration>', 'between marking and removing, and for what is young; at least 1h', duration, 7 * DAY)
    .option('--spare <reference>', "take the mark from this artifact's content, and do nothing else")
    .addHelpText(
      'after',
      '\nA run marks, and a run after the grace period removes what is still not needed; so run it from cron. Versions\nthemselves stay, without their content: none is ever used twice.\n\nExit codes: 0 nothing to do or done, 2 the plan has actions.\n\nExample:\n  bucketwright artifact gc --versions 20 --apply',
    );
  command.action(async (options: Options) => {
    const signals = interruption((text) => context.err.write(`${text}\n`));
    try {
      await withStore(command, context, options, async (store) => {
        if (options.spare !== undefined) return store.spare((await store.resolve(options.spare)).artifact);
        const { versions, entries, grace } = options;
        const { describeAction } = await import('../../artifacts/index.ts');
        const plan = await store.planGc({ versions, entries, grace });
        if (options.json !== true) for (const action of plan.actions) context.out.write(`${describeAction(action)}\n`);
        const done = options.apply === true ? await store.applyGc(plan, signals.stop) : undefined;
        if (options.json === true) printJson(context, { ...plan, done });
        else {
          const kept = `${plan.kept.blobs} blobs (${formatBytes(plan.kept.bytes)}) stay`;
          const what = done === undefined ? `${plan.actions.length} actions planned` : `${done} actions done`;
          context.out.write(`${what}; ${kept}\n`);
        }
        if (done === undefined && plan.actions.length > 0) context.exit(exitCode.findings);
      });
    } finally {
      signals.release();
    }
  });
};
