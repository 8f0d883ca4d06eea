import { ClientError } from '../../client/errors.ts';
import { UsageError } from '../../core/errors.ts';
import type { Finding } from '../../core/finding.ts';
import type { AuditResult } from '../../tenants/index.ts';
import { type Register, withSettings } from '../context.ts';
import { exitCodeOf } from '../exit.ts';
import { formatFinding, summary } from '../output.ts';
import { tenantConnections } from '../tenants/keys.ts';
import { connectionOf, manifestText, settingsOf, tenantNoun } from '../tenants/session.ts';

interface Options {
  readonly keys: string;
  readonly json?: boolean;
}

export const tenantAudit: Register = (program, context) => {
  const command = tenantNoun(program).command('audit');
  withSettings(command)
    .description(
      'Attack as each tenant, and as nobody, what the others have, by every operation and trick we know; prove that its own works.',
    )
    .requiredOption('--keys <directory>', 'the tenants\u2019 own keys: a file <name>.env each')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nIt works below bucketwright-audit/ in each place and takes everything away again. What gets through to a bucket\u2019s\nconfiguration changes as little as can be and is put back.\n\nExit codes: 0 nothing leaks, 2 something does, 69 unreachable, 77 denied, 78 configuration.\n\nExample:\n  bucketwright tenant audit --keys tenant-keys',
    )
    .action(async ({ keys, json }: Options) => {
      const manifest = manifestText(command, context);
      const settings = settingsOf(manifest, manifest.text);
      const connection = connectionOf(settings);
      const tenants = settings.manifest.tenants.filter(({ suspended }) => !suspended);
      if (tenants.length === 0) {
        throw new UsageError('bucketwright.yaml names no tenant to audit', {
          advice: 'bucketwright tenant add makes one',
        });
      }
      const names = tenants.map(({ name }) => name);
      const connections = tenantConnections(keys, names, connection);
      const { auditTenants, findingsOf, formatMatrix, matrixOf } = await import('../../tenants/index.ts');
      const { createBucketClient } = await import('../../client/configuration/bucket-client.ts');
      const client = createBucketClient(connection);
      const owned = await client.list().catch((error: unknown) => {
        if (error instanceof ClientError && error.code === 'denied') return [];
        throw error;
      });
      client.close();
      const results: AuditResult[] = [];
      const findings: Finding[] = [];
      const audited = tenants.flatMap(({ name, places }) => {
        const own = connections.get(name);
        return own === undefined ? [] : [{ name, places, connection: own }];
      });
      const otherBuckets = owned.filter((bucket) =>
        tenants.every(({ places }) => places.every((p) => p.bucket !== bucket)),
      );
      for await (const event of auditTenants({ tenants: audited, administrator: connection, otherBuckets })) {
        if (event.kind === 'attack') results.push(event.result);
        else findings.push(event.finding);
        if (context.err.isTTY === true && results.length % 20 === 0) context.err.write(`\r${results.length} attacks`);
      }
      if (context.err.isTTY === true) context.err.write('\r');
      const all = [...findingsOf(results), ...findings];
      const matrix = matrixOf(results);
      if (json === true) {
        const ok = all.every(({ status }) => status !== 'fail');
        context.out.write(`${JSON.stringify({ ok, attacks: results.length, matrix, findings: all }, null, 2)}\n`);
      } else {
        context.out.write(`${formatMatrix(matrix)}\n`);
        for (const finding of all) context.out.write(`${formatFinding(finding, context.colors)}\n`);
        context.err.write(`${results.length} attacks; ${summary(all)}\n`);
      }
      context.exit(exitCodeOf(all));
    });
};
