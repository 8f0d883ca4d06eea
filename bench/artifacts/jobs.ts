import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export type Action =
  | 'plain-put'
  | 'unsigned-put'
  | 'plain-get'
  | 'plain-stream'
  | 'push'
  | 'push-again'
  | 'pull'
  | 'forget';

export interface JobResult {
  readonly milliseconds: number;
  /** Of the client's process alone. */
  readonly cpuMilliseconds: number;
  readonly peakRssMiB: number;
  /** Bytes of content that the store says it had to send. */
  readonly uploaded: number | undefined;
}

const resultSchema = z.object({
  milliseconds: z.number(),
  cpuMilliseconds: z.number(),
  peakRssMiB: z.number(),
  uploaded: z.number().optional(),
});

/** Runs one transfer to its end in a process of its own. */
export function runJob(
  action: Action,
  file: string,
  environment: Readonly<Record<string, string>>,
): Promise<JobResult> {
  const script = fileURLToPath(new URL('./job.js', import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--no-warnings', script, action, file], {
      env: { PATH: process.env.PATH, NODE_NO_WARNINGS: '1', ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code !== 0) return reject(new Error(`${action} ended with ${code}`));
      const { uploaded, ...rest } = resultSchema.parse(JSON.parse(text));
      resolve({ ...rest, uploaded });
    });
  });
}
