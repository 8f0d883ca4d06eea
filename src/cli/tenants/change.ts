import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { writeFileDurably } from '../../fs/durable.ts';
import { PlanProblemsError } from '../../provision/errors.ts';
import { editTenants, type TenantEdit } from '../../settings/index.ts';
import { TenantError } from '../../tenants/errors.ts';
import type { TenantPlan } from '../../tenants/index.ts';
import { ask, canAsk } from '../confirm.ts';
import type { CliContext } from '../context.ts';
import { exitCode } from '../exit.ts';
import { untilNoticed } from '../users.ts';
import { checkDelivery, type Delivery, deliver } from './deliver.ts';
import { formatTenantPlan } from './print.ts';
import { connectionOf, manifestText, planFor, settingsOf, tenantUsers } from './session.ts';

export interface ChangeOptions extends Delivery {
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
  /** Undefined: the manifest stays as it is. */
  readonly edit?: TenantEdit | undefined;
  readonly removed?: readonly string[];
  /** Show, and stop there. */
  readonly planOnly?: boolean;
}

/**
 * What every command that changes tenants does: the manifest with its one edit, the plan that follows, the question, the
 * manifest to the disk, the plan carried out. Interrupted, `tenant apply` goes on.
 */
export async function changeTenants(command: Command, context: CliContext, options: ChangeOptions): Promise<void> {
  const manifest = manifestText(command, context);
  const text = options.edit === undefined ? manifest.text : edited(manifest.text, options.edit, manifest.path);
  const settings = settingsOf(manifest, text);
  const connection = connectionOf(settings);
  const users = tenantUsers(settings, connection);
  const { createBucketClient } = await import('../../client/configuration/bucket-client.ts');
  const client = createBucketClient(connection);
  try {
    const plan = await planFor(settings, connection, client, users, options.removed ?? []);
    const isNew = text !== manifest.text;
    const json = options.json === true;
    const where = `${connection.endpoint.url} (${connection.provider.name})`;
    if (!json) context.out.write(formatTenantPlan(plan, where, context.colors));
    if (plan.problems.length > 0) {
      throw new PlanProblemsError(
        plan.problems.map(({ subject, ...rest }) => ({ kind: 'policy', bucket: subject, ...rest })),
      );
    }
    const pending = plan.changes.length > 0 || isNew;
    if (!pending || options.planOnly === true) {
      if (json) printJson(context, plan, false);
      if (pending) context.exit(exitCode.findings);
      return;
    }
    checkDelivery(
      options,
      plan.changes.flatMap((change) => (change.kind === 'add-user' ? [change.tenant] : [])),
    );
    if (!(await agreed(options, context, isNew ? manifest.path : undefined))) {
      if (json) printJson(context, plan, false);
      context.exit(exitCode.findings);
      return;
    }
    if (isNew) await writeManifest(manifest.path, text);
    const { applyTenants } = await import('../../tenants/index.ts');
    const handed: Readonly<Record<string, string>>[] = [];
    const dialect = connection.provider.policy;
    const onWaiting = (said: string) => void context.err.write(`${said}\n`);
    for await (const { key } of applyTenants(plan, { client, dialect, users, onWaiting })) {
      if (key === undefined) continue;
      const shown = await deliver(key, options);
      handed.push(shown);
      if (!json) printKey(context, shown);
    }
    if (users !== undefined) await untilNoticed(resolve(settings.server.data));
    if (json) printJson(context, plan, true, handed);
    else {
      const count = plan.changes.length === 1 ? '1 change' : `${plan.changes.length} changes`;
      context.err.write(
        `${count} made${isNew ? `, ${manifest.path} written` : ''}; prove it: bucketwright tenant audit --keys DIRECTORY\n`,
      );
    }
  } finally {
    client.close();
  }
}

function edited(text: string, edit: TenantEdit, path: string): string {
  const result = editTenants(text, edit);
  if (result !== undefined) return result;
  throw new TenantError('manifest', `${path} cannot be edited there`, {
    subject: path,
    advice:
      "the tenant must stand in the file's own list tenants; in an environment's part, edit it yourself and run bucketwright tenant apply",
  });
}

async function agreed({ yes }: ChangeOptions, context: CliContext, file: string | undefined): Promise<boolean> {
  if (yes === true) return true;
  const more = file === undefined ? '' : ` and write ${file}`;
  if (canAsk(context)) return /^y(es)?$/i.test(await ask(`Do this${more}? Only "yes" does it: `, context));
  context.err.write(`nothing was changed; add --yes to do this${more}\n`);
  return false;
}

async function writeManifest(path: string, text: string): Promise<void> {
  const file = resolve(path);
  await writeFileDurably(file, text, existsSync(file) ? statSync(file).mode & 0o777 : 0o644);
}

function printKey(
  context: CliContext,
  { user, accessKeyId, secretAccessKey, file, swarmSecret }: Readonly<Record<string, string>>,
) {
  if (secretAccessKey === undefined) {
    const place = file ?? `the Swarm secret ${swarmSecret}`;
    context.out.write(`key ${accessKeyId} of ${user} is in ${place}\n`);
    return;
  }
  context.out.write(`# ${user}\nS3_ACCESS_KEY_ID=${accessKeyId}\nS3_SECRET_ACCESS_KEY=${secretAccessKey}\n`);
  context.err.write('the secret is not shown again\n');
}

function printJson(
  context: CliContext,
  plan: TenantPlan,
  applied: boolean,
  keys: readonly Readonly<Record<string, string>>[] = [],
): void {
  context.out.write(`${JSON.stringify({ applied, ...plan, ...(applied ? { keys } : {}) }, null, 2)}\n`);
}
