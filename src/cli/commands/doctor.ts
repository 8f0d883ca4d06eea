import { type Settings, SettingsError } from '../../settings/index.ts';
import { doctor as diagnose } from '../../verify/doctor.ts';
import { loadSettings, type Register, withSettings } from '../context.ts';
import { findRunning } from '../embedded/pid-file.ts';
import { exitCodeOf } from '../exit.ts';
import { printFindings, summary } from '../output.ts';

export const doctor: Register = (program, context) => {
  const command = program.command('doctor');
  withSettings(command)
    .description('Look at this machine: Node.js, settings, data directory, ports, and whether the endpoint answers.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  bucketwright doctor --data /var/lib/bucketwright')
    .action(async ({ json }: { json?: boolean }) => {
      const settings = settingsOrError();
      const findings = await printFindings(
        diagnose({
          settings,
          nodeVersion: process.versions.node,
          variables: Object.keys(context.environment),
          running: settings instanceof SettingsError ? undefined : await findRunning(settings.server.data),
        }),
        context,
        json === true,
      );
      context.exit(exitCodeOf(findings));
      if (json !== true) context.err.write(`${summary(findings)}\n`);
    });

  function settingsOrError(): Settings | SettingsError {
    try {
      return loadSettings(command, context);
    } catch (error) {
      if (error instanceof SettingsError) return error;
      throw error;
    }
  }
};
