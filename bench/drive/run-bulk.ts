import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BulkJob, type BulkRun, bulkRun } from './bulk-job.ts';

const driver = fileURLToPath(new URL('./bulk.js', import.meta.url));
const execute = promisify(execFile);

/** Runs one job in a driver process of its own; at most two minutes. */
export async function runBulk(job: BulkJob): Promise<BulkRun> {
  const { stdout } = await execute(process.execPath, [driver, JSON.stringify(job)], { timeout: 120_000 });
  return bulkRun.parse(JSON.parse(stdout));
}
