import { pino } from 'pino';
import type { Logger } from '../../core/logger.ts';
import type { CliContext } from '../context.ts';

/** JSON lines on standard error for machines; on a terminal plain lines, and only what somebody should know. */
export function createLogger(context: CliContext): Logger {
  if (context.err.isTTY === true) {
    const line = (fields: object, message: string) => {
      const details = Object.entries(fields).map(
        ([key, value]) => `${key}=${value instanceof Error ? value.message : JSON.stringify(value)}`,
      );
      context.err.write(`${[message, ...details].join(' ')}\n`);
    };
    return { debug() {}, info() {}, warn: line, error: line };
  }
  return pino({ base: { pid: process.pid } }, pino.destination({ dest: 2, sync: true }));
}
