import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { commands } from './commands/index.ts';
import type { CliContext } from './context.ts';
import { installedFile } from './installation.ts';

/** The whole command line. Parsing throws instead of ending the process, so that one place maps errors to exit codes. */
export function createProgram(context: CliContext): Command {
  const program = new Command('bucketwright')
    .description('S3-compatible object storage for self-hosted stacks: one configuration, from a laptop to Hetzner.')
    .version(version())
    .showSuggestionAfterError()
    // A noun with options of its own (`provision`) must not take those of its verbs.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeErr: (text) => void context.err.write(text),
      writeOut: (text) => void context.out.write(text),
    })
    .addHelpText(
      'after',
      '\nExamples:\n  bucketwright serve --data /var/lib/bucketwright\n  bucketwright verify --json\n  bucketwright config show\n\nSettings: flags beat the environment, that beats NAME_FILE, that beats bucketwright.yaml.\nExit codes: 0 done, 1 failed, 2 findings, 64 usage, 69 unreachable, 77 denied, 78 configuration.',
    );
  for (const register of commands) register(program, context);
  return program;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(installedFile('package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}
