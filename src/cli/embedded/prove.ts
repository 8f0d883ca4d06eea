import type { Connection } from '../../providers/index.ts';
import { wantedBuckets, wantedPlaces } from '../../provision/wanted.ts';
import type { Settings } from '../../settings/index.ts';
import { verify } from '../../verify/index.ts';
import type { CliContext } from '../context.ts';
import { exitCodeOf } from '../exit.ts';
import { printFindings, summary } from '../output.ts';
import { provisionAll } from '../provision-all.ts';

/** Creates the settings' buckets on a running server and verifies it. Answers whether everything holds. */
export async function provisionAndVerify(
  connection: Connection,
  settings: Settings,
  context: CliContext,
): Promise<boolean> {
  const places = wantedPlaces(settings);
  const wait = { milliseconds: 10_000, json: false };
  if (!(await provisionAll(connection, wantedBuckets(places), wait, context))) return false;
  const findings = await printFindings(verify(connection, places), context, false);
  context.err.write(`${summary(findings)}\n`);
  const code = exitCodeOf(findings);
  context.exit(code);
  return code === 0;
}
