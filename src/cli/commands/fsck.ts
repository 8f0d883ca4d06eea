import { resolve } from 'node:path';
import { UsageError } from '../../core/errors.ts';
import type { Finding } from '../../core/finding.ts';
import { parseBytes } from '../../core/sizes.ts';
import { applyRepairs, fsck as check, describeRepair, openDirectory, type Repair } from '../../store/index.ts';
import { loadSettings, type Register, withSettings } from '../context.ts';
import { exitCode } from '../exit.ts';
import { printFindings, summary } from '../output.ts';
import { progressOn } from '../progress.ts';

interface Options {
  readonly rate?: string;
  readonly quick?: boolean;
  readonly repair?: boolean;
  readonly json?: boolean;
}

/** What a running server's disk is asked for at most, unless told otherwise. */
const RATE_BESIDE_SERVER = '64MiB';

export const fsck: Register = (program, context) => {
  const command = program.command('fsck');
  withSettings(command)
    .description(
      'Compare the index of a data directory with the bodies, read every byte, and name what is damaged. Reads beside a running server; repairs only without one.',
    )
    .option('--rate <bytes>', `bytes a second to read at most, such as 100MiB (${RATE_BESIDE_SERVER} beside a server)`)
    .option('--quick', 'look whether everything is there and of the right size, without reading it')
    .option('--repair', 'put right what can be without guessing: counters, references, files that belong to nothing')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nWithout --repair nothing is written. No repair touches an object: damaged ones are named, and files that belong to\nnothing are moved to lost+found/ in the data directory.\n\nExit codes: 0 all is well, 2 there are findings, 1 failed.\n\nExamples:\n  bucketwright fsck --data /var/lib/bucketwright\n  bucketwright fsck --data /var/lib/bucketwright --rate 20MiB --json\n  bucketwright fsck --data /var/lib/bucketwright --repair',
    )
    .action(async ({ rate, quick, repair, json }: Options) => {
      const { server } = loadSettings(command, context, 'server');
      const wanted = rate === undefined ? undefined : parseRate(rate);
      const opened = await openDirectory(resolve(server.data), repair === true ? 'alone' : 'to read');
      const repairs: Repair[] = [];
      const progress = progressOn(context.err);
      try {
        if (quick !== true && json !== true) progress.begin('reading', bytesNoted(opened.index.usage.getRange()));
        const findings = await printFindings(
          check(
            opened,
            {
              rate: wanted ?? (opened.exclusive ? undefined : parseRate(RATE_BESIDE_SERVER)),
              bytes: quick !== true,
              progress: (bytes) => progress.add(bytes),
            },
            repairs,
          ),
          context,
          json === true,
        );
        progress.end();
        const wrong = findings.filter(({ status }) => status === 'fail' || status === 'warn');
        if (repairs.length > 0) {
          for (const one of repairs) context.err.write(`repair: ${describeRepair(one)}\n`);
          if (repair === true) await applyRepairs(opened, repairs);
          context.err.write(repair === true ? `${repairs.length} repaired\n` : 'nothing was changed: --repair does\n');
        }
        if (json !== true) context.err.write(`${summary(findings)}\n`);
        const left = repair === true ? wrong.filter((finding) => !isRepaired(finding)) : wrong;
        if (left.length > 0) context.exit(exitCode.findings);
      } finally {
        progress.end();
        await opened.close();
      }
    });
};

/** Those that checkFiles pairs with a repair. */
function isRepaired({ id }: Finding): boolean {
  return ['reference-count', 'unreferenced', 'usage', 'orphan-file'].includes(id);
}

function parseRate(text: string): number {
  const bytes = parseBytes(text);
  if (bytes === undefined || bytes < 1) {
    throw new UsageError(`--rate ${text} is no number of bytes`, {
      subject: '--rate',
      advice: 'write it as 20MiB or 20971520',
    });
  }
  return bytes;
}

function bytesNoted(usages: Iterable<{ readonly value: { readonly bytes: number } }>): number {
  let sum = 0;
  for (const { value } of usages) sum += value.bytes;
  return sum;
}
