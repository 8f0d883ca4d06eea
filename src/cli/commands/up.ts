import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HostError } from '../../core/errors.ts';
import { declarations, type Settings } from '../../settings/index.ts';
import { type CliContext, configPath, loadSettings, type Register, settingFlags, withSettings } from '../context.ts';
import { startDetached } from '../embedded/detach.ts';
import { instructions } from '../embedded/instructions.ts';
import { keyFilePath, keysOfAnother, readKeys, usesKeyFile } from '../embedded/key-file.ts';
import { createLogger } from '../embedded/log.ts';
import { findRunning } from '../embedded/pid-file.ts';
import { untilSignal } from '../embedded/signals.ts';
import { banner, embeddedConnection, otherKeysNotice, startEmbedded } from '../embedded/start.ts';

export const up: Register = (program, context) => {
  const command = program.command('up');
  withSettings(command)
    .description('Start the embedded server, create the buckets, verify them, and print how to use it.')
    .option('--detach', 'return when everything is ready; `bucketwright down` stops the server')
    .addHelpText('after', '\nExample:\n  bucketwright up --detach')
    .action(async ({ detach }: { detach?: boolean }) => {
      const settings = loadSettings(command, context, 'server');
      const data = resolve(settings.server.data);
      const running = await findRunning(data);
      if (running !== undefined) {
        context.err.write(`already running (pid ${running.pid}) on ${running.url}\n`);
        await proveAndExplain(settings, running.url, context);
        return;
      }
      if (detach !== true) return runInForeground(settings, context);
      const { pid, url } = await startDetached(data, forwarded(command, context), context.environment);
      context.err.write(`started (pid ${pid}) on ${url}\n`);
      await proveAndExplain(settings, url, context);
    });
};

async function runInForeground(settings: Settings, context: CliContext): Promise<void> {
  const stopped = untilSignal(context);
  const { provisionAndVerify } = await import('../embedded/prove.ts');
  const server = await startEmbedded(settings, createLogger(context));
  for (const line of banner(settings, server)) context.err.write(`${line}\n`);
  const holds = await Promise.race([
    provisionAndVerify(server.connection, settings, context),
    stopped.then(() => undefined),
  ]);
  if (holds === true) {
    explain(settings, server.url, server.connection.region, server.keyFile, 'Ctrl-C', context);
    await stopped;
  }
  context.err.write('draining\n');
  await server.close();
  context.err.write('stopped\n');
}

async function proveAndExplain(settings: Settings, url: string, context: CliContext): Promise<void> {
  const { server } = settings;
  const file = keyFilePath(server.data);
  const credentials = server.credentials ?? (await readKeys(file));
  if (credentials === undefined) {
    throw new HostError('host', `${file} is missing, while a server runs on its directory`, {
      subject: file,
      advice: 'stop the server (script/down) and start it again',
    });
  }
  const { provisionAndVerify } = await import('../embedded/prove.ts');
  if (await keysOfAnother(settings, url)) context.err.write(`warning: ${otherKeysNotice(settings)}\n`);
  const connection = embeddedConnection(url, server.region ?? 'us-east-1', credentials);
  if (!(await provisionAndVerify(connection, settings, context))) return;
  const keyFile = (await usesKeyFile(server.data, server.credentials)) ? file : undefined;
  explain(settings, url, connection.region, keyFile, 'script/down, or bucketwright down', context);
}

function explain(
  settings: Settings,
  endpoint: string,
  region: string,
  keyFile: string | undefined,
  stop: string,
  context: CliContext,
): void {
  context.out.write(instructions({ endpoint, region, keyFile, bucket: settings.buckets.loki.bucket, stop }));
}

/** The settings that this command got as flags, for the process it starts; the environment goes along by itself. */
function forwarded(command: Command, context: CliContext): readonly string[] {
  const flags = settingFlags(command);
  const config = configPath(command, context);
  const settings = declarations.flatMap(({ key, flag }) => {
    const value = flags.get(key);
    return flag === undefined || value === undefined ? [] : [`${flag}=${value}`];
  });
  return config === undefined ? settings : [`--config=${config}`, ...settings];
}
