import { randomBytes } from 'node:crypto';
import { ClientError, createExchange, type Exchange } from '../../client/index.ts';
import type { Finding } from '../../core/finding.ts';
import type { Connection } from '../../providers/index.ts';
import { type Place, showPlace } from '../model.ts';
import { attacks } from './attacks/index.ts';
import { damageOf, layBait, takeAway } from './bait.ts';
import { readState, restoreState } from './configuration.ts';
import { judge } from './judge.ts';
import type { Attack, AttackContext, AuditedTenant, AuditResult, Bait, BucketState } from './model.ts';
import { send } from './send.ts';
import { tryOwn } from './works.ts';

export interface AuditInput {
  readonly tenants: readonly AuditedTenant[];
  /** By keys that may do anything; undefined: configurations are not compared and not restored. */
  readonly administrator: Connection | undefined;
  /** Buckets of nobody of these, such as Loki's: no tenant may list them. */
  readonly otherBuckets: readonly string[];
  /** Attacks of one pair at once. Default 6: what a tenant's neighbours will hardly notice. */
  readonly concurrency?: number;
}

export type AuditEvent =
  | { readonly kind: 'attack'; readonly result: AuditResult }
  | { readonly kind: 'finding'; readonly finding: Finding };

export const NOBODY = 'nobody';

interface Participant {
  readonly tenant: AuditedTenant;
  readonly exchange: Exchange;
  readonly baits: Bait[];
}

/**
 * Attacks as each tenant the places of all others, and as nobody; proves that each can use its own. All of it happens to
 * objects that the audit lays out below `bucketwright-audit/` and takes away again. What gets through to a bucket's
 * configuration is chosen to change as little as can be, and is put back.
 * @throws ClientError when an endpoint does not answer
 */
export async function* auditTenants(input: AuditInput): AsyncGenerator<AuditEvent> {
  const run = randomBytes(6).toString('hex');
  const options = { timeoutMs: 30_000, sockets: input.concurrency ?? 6 };
  const participants: Participant[] = input.tenants.map((tenant) => ({
    tenant,
    exchange: createExchange(tenant.connection, options),
    baits: [],
  }));
  const { administrator } = input;
  const admin = administrator === undefined ? undefined : createExchange(administrator, options);
  const states = new Map<string, BucketState>();
  const late: Finding[] = [];
  try {
    for (const { tenant, exchange, baits } of participants) {
      for (const place of tenant.places) {
        const bait = await layBait(exchange, tenant.name, place, run).catch(denial);
        if (bait instanceof ClientError) yield shutOut(tenant.name, place, bait);
        else baits.push(bait);
      }
    }
    const buckets = new Set(participants.flatMap(({ baits }) => baits.map(({ bucket }) => bucket)));
    if (admin !== undefined && administrator !== undefined) {
      for (const bucket of buckets) states.set(bucket, await readState(admin, administrator, bucket));
    }
    for (const { tenant, exchange, baits } of participants) {
      for (const bait of baits) yield* ofOwn(exchange, bait, tenant);
    }
    for (const attacker of participants) {
      for (const { baits } of participants.filter((other) => other !== attacker)) {
        for (const victim of baits) yield* attackAll(attacker, victim, states, input.concurrency ?? 6);
      }
      yield* attackOthers(attacker, input.otherBuckets);
    }
    for (const { baits, tenant } of participants) {
      for (const victim of baits) yield* attackAsNobody(participants, tenant, victim, states);
    }
    for (const { exchange, baits, tenant } of participants) {
      for (const bait of baits) yield harmFinding(await damageOf(exchange, bait), bait, tenant);
    }
  } finally {
    // Also when nobody listens to the end.
    if (admin !== undefined && administrator !== undefined) {
      for (const [bucket, state] of states) {
        const changed = await restoreState(admin, administrator, bucket, state).catch(() => ['?']);
        if (changed.length > 0) late.push(changedFinding(bucket, changed));
      }
    }
    for (const { exchange, baits, tenant } of participants) {
      for (const bait of baits) {
        const left = await takeAway(exchange, bait).catch(() => [`${bait.bucket}/${bait.folder}`]);
        if (left.length > 0) late.push(leftFinding(tenant.name, left));
      }
      exchange.close();
    }
    admin?.close();
  }
  for (const finding of late) yield { kind: 'finding', finding };
}

/** A tenant that may not write to its own place is a finding, and attacks on. */
function denial(error: unknown): ClientError {
  if (error instanceof ClientError && error.code === 'denied') return error;
  throw error;
}

const shutOut = (tenant: string, place: Place, { message, advice }: ClientError): AuditEvent => ({
  kind: 'finding',
  finding: {
    id: 'tenant-works',
    status: 'fail',
    subject: `${tenant} in ${showPlace(place)}`,
    found: message,
    expected: 'a tenant can use what is its own',
    why: 'nothing there can be attacked or proven',
    advice,
  },
});

function harmFinding(damage: string | undefined, bait: Bait, { name }: AuditedTenant): AuditEvent {
  const subject = showPlace(bait);
  if (damage === undefined) {
    return {
      kind: 'finding',
      finding: { id: 'tenant-unharmed', status: 'ok', subject, found: 'all is as it was laid out' },
    };
  }
  return {
    kind: 'finding',
    finding: {
      id: 'tenant-unharmed',
      status: 'fail',
      subject,
      found: damage,
      expected: 'nothing changed by others',
      why: `another tenant changes what is ${name}'s`,
      advice: 'see the leaks; bucketwright tenant plan shows whether the policies are as they should be',
    },
  };
}

const changedFinding = (bucket: string, changed: readonly string[]): Finding => ({
  id: 'tenant-bucket',
  status: 'fail',
  subject: `bucket ${bucket}`,
  found: `its ${changed.join(', ')} changed during the audit; it was put back`,
  expected: 'nothing changed',
  why: 'who changes a bucket\u2019s policy or ACL rules over all in it',
  advice: 'deny tenants everything that configures buckets',
});

const leftFinding = (tenant: string, left: readonly string[]): Finding => ({
  id: 'tenant-tidy',
  status: 'warn',
  subject: tenant,
  found: `could not be removed: ${left.join(', ')}`,
  why: 'the audit leaves something behind',
  advice: 'remove it by the administrator\u2019s key',
});

/** Every attack of one tenant on one place of another, several at a time, in the order of the table. */
async function* attackAll(
  { tenant, exchange, baits }: Participant,
  victim: Bait,
  states: ReadonlyMap<string, BucketState>,
  concurrency: number,
): AsyncGenerator<AuditEvent> {
  const own = baits.find(({ bucket }) => bucket === victim.bucket) ?? baits[0];
  if (own === undefined) return;
  const context: AttackContext = {
    own,
    victim,
    connection: tenant.connection,
    state: states.get(victim.bucket) ?? new Map(),
    ownState: states.get(own.bucket) ?? new Map(),
  };
  const due = attacks.filter((attack) => applies(attack, context));
  for (let at = 0; at < due.length; at += concurrency) {
    const results = due.slice(at, at + concurrency).map((attack) => carryOut(attack, context, exchange, tenant.name));
    for (const result of await Promise.all(results)) yield { kind: 'attack', result };
  }
}

/** Whether the profile knows what is sent to be safe. */
function isSafe({ needs, knownTo }: Attack, { provider }: Connection): boolean {
  if (knownTo !== undefined && !knownTo.includes(provider.name)) return false;
  return needs === undefined || provider.features[needs] === 'yes' || provider.features[needs] === 'partial';
}

function applies(attack: Attack, { own, victim, connection }: AttackContext): boolean {
  if (!isSafe(attack, connection)) return false;
  const { when } = attack;
  const shared = own.bucket === victim.bucket;
  return when === undefined || (when === 'same-bucket') === shared;
}

async function carryOut(
  attack: Attack,
  context: AttackContext,
  exchange: Exchange,
  attacker: string,
  disguise: { readonly anonymous?: boolean } = {},
): Promise<AuditResult> {
  const { operation, trick } = attack;
  const answer = await send(exchange, { ...attack.request(context), ...disguise });
  const place = showPlace(context.victim);
  return { attacker, victim: context.victim.tenant, place, operation, trick, ...judge(attack, context, answer) };
}

/** Without any signature: what is public is everybody's. */
async function* attackAsNobody(
  participants: readonly Participant[],
  { name, connection }: AuditedTenant,
  victim: Bait,
  states: ReadonlyMap<string, BucketState>,
): AsyncGenerator<AuditEvent> {
  const exchange = participants.find(({ tenant }) => tenant.name === name)?.exchange;
  if (exchange === undefined) return;
  const state = states.get(victim.bucket) ?? new Map<string, string>();
  const context = { own: victim, victim, connection, state, ownState: state };
  for (const attack of attacks) {
    if (attack.anonymous !== true || attack.expect !== 'denied' || attack.operation === 'ListBuckets') continue;
    if (attack.when === 'same-bucket' || !isSafe(attack, connection)) continue;
    yield { kind: 'attack', result: await carryOut(attack, context, exchange, NOBODY, { anonymous: true }) };
  }
}

/** Buckets that are none of the tenants': Loki's, backups, whatever else the account has. */
async function* attackOthers(
  { tenant, exchange }: Participant,
  buckets: readonly string[],
): AsyncGenerator<AuditEvent> {
  for (const bucket of buckets.filter((name) => tenant.places.every((place) => place.bucket !== name))) {
    const answer = await send(exchange, { method: 'GET', bucket, query: 'list-type=2&max-keys=1' });
    const open = answer.status < 300;
    yield {
      kind: 'attack',
      result: {
        attacker: tenant.name,
        victim: '(others)',
        place: bucket,
        operation: 'ListObjectsV2',
        trick: 'a bucket of no tenant',
        verdict: open ? 'leak' : answer.status === 403 || answer.status === 404 ? 'denied' : 'unclear',
        found: `${answer.status}${open ? ': its keys are shown' : ''}`,
      },
    };
  }
}

async function* ofOwn(exchange: Exchange, bait: Bait, { name, connection }: AuditedTenant): AsyncGenerator<AuditEvent> {
  const failed: string[] = [];
  let count = 0;
  for await (const { operation, works, found } of tryOwn(exchange, bait, connection)) {
    count += 1;
    if (!works) failed.push(`${operation} (${found})`);
  }
  const subject = `${name} in ${showPlace(bait)}`;
  if (failed.length === 0) {
    yield {
      kind: 'finding',
      finding: { id: 'tenant-works', status: 'ok', subject, found: `${count} of ${count} operations on its own work` },
    };
    return;
  }
  yield {
    kind: 'finding',
    finding: {
      id: 'tenant-works',
      status: 'fail',
      subject,
      found: `does not work: ${failed.join(', ')}`,
      expected: 'a tenant can use what is its own',
      why: 'isolation that shuts the tenant out is none',
      advice: 'bucketwright tenant plan shows what its policy lacks',
    },
  };
}
