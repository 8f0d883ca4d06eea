import type { Logger } from '../../core/logger.ts';
import type { Settings } from '../../settings/index.ts';
import type { CliContext } from '../context.ts';
import { untilSignal } from './signals.ts';
import { banner, type EmbeddedServer, type StartOptions, startEmbedded } from './start.ts';

/**
 * Serves until the first SIGINT or SIGTERM, then drains.
 * @param beside started with the server; what it answers is closed before the server is
 */
export async function serveInForeground(
  settings: Settings,
  context: CliContext,
  logger: Logger,
  options: StartOptions,
  beside: (server: EmbeddedServer) => Promise<() => Promise<void>> = async () => async () => {},
): Promise<void> {
  const stopped = untilSignal(context);
  const server = await startEmbedded(settings, logger, options);
  try {
    const closeBeside = await beside(server);
    for (const line of banner(settings, server)) say(line, context, logger);
    const signal = await stopped;
    logger.info({ signal }, 'draining');
    await closeBeside();
  } finally {
    await server.close();
  }
  logger.info({}, 'stopped');
}

function say(line: string, context: CliContext, logger: Logger): void {
  if (context.err.isTTY === true) context.err.write(`${line}\n`);
  else if (line.startsWith('warning: ')) logger.warn({}, line.slice('warning: '.length));
  else logger.info({}, line);
}
