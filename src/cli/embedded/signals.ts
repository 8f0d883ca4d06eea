import type { CliContext } from '../context.ts';

/** How often a server that npx started looks whether npx is still there, in milliseconds. */
const LOOK_MS = 500;

/**
 * Resolves at the first SIGINT or SIGTERM; the second one ends the process at once. npx starts a program through a shell
 * and, told to stop, ends itself and the shell but not the program: there the shell's end counts as SIGTERM.
 */
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
    if (context.environment.npm_lifecycle_event !== 'npx') return;
    const parent = process.ppid;
    const looking = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(looking);
      if (!asked) onSignal('SIGTERM');
    }, LOOK_MS);
    looking.unref();
  });
}
