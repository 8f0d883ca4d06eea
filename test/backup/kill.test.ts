/**
 * kill -9 at random during backup, merging, prune and restore, by the command line as users run it. Afterwards every listed
 * snapshot restores, and the next run goes on by itself. BACKUP_KILLS=100 for many.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Repository, restore, type SourceStore, verify } from '../../src/backup/index.ts';
import type { ObjectClient } from '../../src/client/index.ts';
import { clientOf, collect, endpointSettings, opener, passphraseText } from '../support/backup.ts';
import { bucketName, cleanEnvironment, type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { checkEnvironment, contentOf, libmdbxMissing, startWriter, write } from '../support/mdbx.ts';
import { commandLine } from '../support/paths.ts';
import { rgwMissing, startRgw } from '../support/rgw.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

const kills = Number(process.env.BACKUP_KILLS ?? '4');
const noMdbx = libmdbxMissing();
suite('the embedded server', noMdbx, testEndpoint);
suite('Ceph RGW', rgwMissing() ?? noMdbx, startRgw);

function suite(name: string, missing: string | undefined, start: () => Promise<DisposableEndpoint>): void {
  skipUnless(missing === undefined, missing ?? '')(`backups that are killed, on ${name}`, () => {
    let endpoint: DisposableEndpoint;
    let client: ObjectClient;
    let directory: TemporaryDirectory;
    let environment: NodeJS.ProcessEnv;
    let store: SourceStore;
    const path = () => join(directory.path, 'node');

    beforeAll(async () => {
      endpoint = await start();
      client = clientOf(endpoint);
      directory = await temporaryDirectory('kill');
      const bucket = bucketName('kill');
      await client.createBucket(bucket);
      environment = cleanEnvironment({
        ...endpointSettings(endpoint),
        S3_BUCKET_BACKUP: bucket,
        BUCKETWRIGHT_BACKUP_PASSPHRASE: passphraseText,
        TMPDIR: directory.path,
      });
      await backup('init');
      store = (await Repository.open({ client, bucket, prefix: '', conditionalPut: true }, opener)).source('node');
      await write(path(), { pageSize: 4096, seed: 1, commits: 60, changes: 300, mode: 'nosync', keys: 10_000 });
    }, 150_000);
    afterAll(async () => {
      client?.close();
      await directory?.remove();
      await endpoint?.[Symbol.asyncDispose]();
    }, 60_000);

    const options = () => ({ cwd: directory.path, env: environment, timeoutMs: 120_000 });
    const backup = (...args: readonly string[]) => run(process.execPath, [commandLine, 'backup', ...args], options());

    /** @returns whether it was killed: it may have ended before */
    async function killed(after: number, ...args: readonly string[]): Promise<boolean> {
      const child = spawn(process.execPath, [commandLine, 'backup', ...args], { ...options(), stdio: 'ignore' });
      const exited = once(child, 'exit');
      await Promise.race([exited, sleep(after)]);
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      const [, signal] = await exited;
      return signal === 'SIGKILL';
    }

    test('leave every listed snapshot whole, and nothing that stops the next run', {
      timeout: 120_000 + kills * 60_000,
    }, async () => {
      await using writer = await startWriter(path(), { pageSize: 4096, seed: 2, changes: 5, rate: 20, keys: 10_000 });
      await backup('run', 'node', path(), '--method', 'reader');
      const outcomes = { killed: 0, ended: 0 };
      const commands: readonly (readonly string[])[] = [
        ['run', 'node', path(), '--method', 'reader'],
        ['run', 'node', path(), '--method', 'reader'],
        ['prune', '--keep-last', '6', '--apply'],
        ['restore', 'node', join(directory.path, 'restored')],
      ];
      for (let round = 0; round < kills; round++) {
        const command = commands[round % commands.length] ?? [];
        // From before the first request to after the last, whatever this machine is like.
        const done = await killed(300 + Math.random() * 2500, ...command);
        outcomes[done ? 'killed' : 'ended'] += 1;
        if (command[0] === 'restore') {
          const target = join(directory.path, 'restored');
          // It goes on without being told to, unless it had been done.
          const again = [commandLine, 'backup', ...command];
          if (done) await run(process.execPath, again, { ...options(), allow: [0, 1] });
          await checkEnvironment(target);
          await contentOf(target);
          await rm(target, { recursive: true, force: true });
        }
        const bad = (await collect(verify({ store, share: 1, turn: 0 }))).filter(({ status }) => status === 'fail');
        expect(bad).toEqual([]);
        // A rerun goes on at once: the lease of the dead is no obstacle.
        await backup('run', 'node', path(), '--method', 'reader');
      }
      await writer.stop();
      process.stderr.write(`${name}: ${outcomes.killed} killed, ${outcomes.ended} had ended\n`);
      expect(outcomes.killed).toBeGreaterThan(0);
      const committed = new Map(writer.commits.map(({ txnid, sum }) => [Number(txnid), sum]));
      let restored = 0;
      for await (const snapshot of store.snapshots()) {
        const target = join(directory.path, `restored-${snapshot.id}`);
        await restore({ store, snapshot, target, force: false });
        await checkEnvironment(target);
        const { sum } = await contentOf(target);
        const txnid = snapshot.content.kind === 'mdbx' ? snapshot.content.txnid : 0;
        const expected = committed.get(txnid);
        if (expected !== undefined) expect(sum).toBe(expected);
        restored += 1;
        await rm(target, { recursive: true, force: true });
      }
      expect(restored).toBeGreaterThan(2);
    });
  });
}
