import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { bucketName, cleanEnvironment, type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { rgwMissing, startRgw } from '../support/rgw.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const findings = z.array(
  z.object({ id: z.string(), status: z.enum(['ok', 'warn', 'fail', 'skip']), found: z.string() }),
);

// A remote provider is an endpoint, keys and nothing else: the same commands must do on ours and on a real Ceph.
const endpoints = [
  { name: 'the embedded server', missing: undefined, start: testEndpoint },
  { name: 'a real Ceph RADOS Gateway', missing: rgwMissing(), start: startRgw },
];

for (const { name, missing, start } of endpoints) {
  skipUnless(missing === undefined, missing ?? '')(`our own commands against ${name}`, () => {
    let endpoint: DisposableEndpoint;
    const loki = bucketName('loki');
    const tempo = bucketName('tempo');
    beforeAll(async () => {
      endpoint = await start();
    }, 180_000);
    afterAll(() => endpoint?.[Symbol.asyncDispose](), 90_000);

    const cli = async (args: readonly string[], allow: readonly number[], extra: Record<string, string> = {}) => {
      await using directory = await temporaryDirectory('cli');
      return run(process.execPath, [commandLine, ...args], {
        cwd: directory.path,
        allow,
        env: cleanEnvironment({
          S3_ENDPOINT: endpoint.url,
          S3_INSECURE: 'true',
          S3_FORCE_PATH_STYLE: 'true',
          S3_REGION: endpoint.region,
          S3_ACCESS_KEY_ID: endpoint.accessKeyId,
          S3_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
          S3_BUCKET_LOKI: loki,
          S3_BUCKET_TEMPO: tempo,
          ...extra,
        }),
      });
    };
    const verify = async (allow: readonly number[], extra: Record<string, string> = {}) => {
      const { stdout } = await cli(['verify', '--json'], allow, extra);
      const json: unknown = JSON.parse(stdout);
      const list = Array.isArray(json) ? json : z.object({ findings: z.unknown() }).parse(json).findings;
      return findings.parse(list);
    };

    test('verify names the missing buckets before provision, and all holds after', { timeout: 120_000 }, async () => {
      const before = await verify([2]);
      expect(before.filter(({ status }) => status === 'fail').length).toBeGreaterThan(0);
      await cli(['provision'], [0]);
      const again = await cli(['provision'], [0]);
      expect(again.stdout).toMatch(/exists/);
      const after = await verify([0]);
      expect(after.length).toBeGreaterThan(5);
      expect(after.filter(({ status }) => status === 'fail')).toEqual([]);
    });

    test('wrong keys are told as such, without showing them', { timeout: 60_000 }, async () => {
      const { stdout, stderr } = await cli(['verify'], [77], {
        S3_SECRET_ACCESS_KEY: 'not-the-right-secret-at-all',
      });
      expect(stdout + stderr).toMatch(/credential|denied|signature/i);
      expect(stdout + stderr).not.toContain('not-the-right-secret-at-all');
    });
  });
}
