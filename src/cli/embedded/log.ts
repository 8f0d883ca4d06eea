import { pino } from 'pino';
import type { Logger } from '../../core/logger.ts';
import type { CliContext } from '../context.ts';
import { boundedLog } from './bounded-log.ts';

/**
 * JSON lines on standard error for machines; on a terminal plain lines, and only what somebody should know.
 * @param file where standard error goes, when it is a file that nobody else keeps small
 */
export function createLogger(context: CliContext, file?: string): Logger {
  if (context.err.isTTY === true) {
    const line = (fields: object, message: string) => {
      const details = Object.entries(fields).map(
        ([key, value]) => `${key}=${value instanceof Error ? value.message : JSON.stringify(value)}`,
      );
      context.err.write(`${[message, ...details].join(' ')}\n`);
    };
    return { debug() {}, info() {}, warn: line, error: line };
  }
  const destination = file === undefined ? pino.destination({ dest: 2, sync: true }) : boundedLog(file, 2);
  return pino({ base: { pid: process.pid } }, destination);
}
