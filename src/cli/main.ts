import { CommanderError } from 'commander';
import { systemErrorCode } from '../core/errors.ts';
import { processContext } from './context.ts';
import { exitCodeFor } from './exit.ts';
import { formatError } from './output.ts';
import { createProgram } from './program.ts';

const context = processContext();
for (const stream of [context.out, context.err]) {
  // `bucketwright … | head` closes our output early, which is no failure.
  stream.on('error', (error) => process.exit(systemErrorCode(error) === 'EPIPE' ? 0 : 1));
}

try {
  await createProgram(context).parseAsync(process.argv);
} catch (error) {
  context.exit(exitCodeFor(error));
  // Commander has said its own errors already.
  if (!(error instanceof CommanderError)) context.err.write(`${formatError(error)}\n`);
}
