import { setTimeout as sleep } from 'node:timers/promises';
import { docker } from './docker.ts';

const { PATH, HOME } = process.env;

/** Asks until the answer is there; fails with the last one after a minute and a half. */
export async function eventually(what: string, ask: () => Promise<string>, wanted: RegExp): Promise<string> {
  const deadline = Date.now() + 90_000;
  for (;;) {
    const answer = await ask();
    if (wanted.test(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`${what} is still: ${answer}`);
    await sleep(500);
  }
}

/** Both outputs of a docker command that sees nothing of our environment but `env`. */
export async function output(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout, stderr } = await docker(args, { env: { PATH, HOME, ...env }, timeoutMs: 120_000 });
  return stdout + stderr;
}
