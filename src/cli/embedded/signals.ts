import type { CliContext } from '../context.ts';

/** Resolves at the first SIGINT or SIGTERM; the second one ends the process at once. */
export function untilSignal(context: CliContext): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (asked) {
        context.err.write('stopping at once\n');
        process.exit(signal === 'SIGINT' ? 130 : 143);
      }
      asked = true;
      resolve(signal);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
