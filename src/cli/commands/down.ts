import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HostError } from '../../core/errors.ts';
import { loadSettings, type Register, withSettings } from '../context.ts';
import { findRunning, isOurs } from '../embedded/pid-file.ts';

const DRAIN_MS = 30_000;

export const down: Register = (program, context) => {
  const command = program.command('down');
  withSettings(command)
    .description('Stop the server that runs on the data directory, and wait until it is gone.')
    .addHelpText('after', '\nExample:\n  bucketwright down --data /var/lib/bucketwright')
    .action(async () => {
      const data = resolve(loadSettings(command, context, 'server').server.data);
      const running = await findRunning(data);
      if (running === undefined) {
        context.err.write(`no server runs on ${data}\n`);
        return;
      }
      process.kill(running.pid, 'SIGTERM');
      const deadline = Date.now() + DRAIN_MS;
      while (isOurs(running.pid)) {
        if (Date.now() > deadline) {
          throw new HostError('host', `pid ${running.pid} still runs after ${DRAIN_MS / 1000} s`, {
            subject: data,
            advice: `look at ${data}/server.log; kill ${running.pid} ends it at once, and no acknowledged object is lost`,
          });
        }
        await sleep(50);
      }
      context.err.write(`stopped (pid ${running.pid})\n`);
    });
};
