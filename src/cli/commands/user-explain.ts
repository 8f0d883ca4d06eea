import { UsageError } from '../../core/errors.ts';
import { evaluate, explain, normaliseKey, type PolicyRequest, parsePolicy } from '../../policy/index.ts';
import { type Register, withSettings } from '../context.ts';
import { exitCode } from '../exit.ts';
import { userNoun, userStore } from '../users.ts';

export const userExplain: Register = (program, context) => {
  const command = userNoun(program).command('explain <name> <action> <resource>');
  withSettings(command)
    .description("Say why a user's own policies allow or deny something. Bucket policies and ACLs are not looked at.")
    .option('--with <key=value>', 'a condition key of the request; may be given again', collect, [])
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  bucketwright user explain alice s3:ListBucket photos --with s3:prefix=alice/')
    .action((name: string, action: string, resource: string, options: { with: readonly string[]; json?: boolean }) => {
      const user = userStore(command, context).users.get(name);
      const arn = `arn:aws:iam::${user.account}:user/${name}`;
      const facts = new Map([
        ['aws:username', name],
        ['aws:userid', user.id],
        ['aws:principalarn', arn],
        ...options.with.map(parsePair),
      ]);
      const request: PolicyRequest = {
        requester: { kind: 'user', account: user.account, canonicalId: user.account, arn, owner: user.owner },
        action,
        resource: resource.startsWith('arn:') ? resource : `arn:aws:s3:::${resource}`,
        context: (key) => {
          const value = facts.get(key);
          return value === undefined ? undefined : [value];
        },
      };
      const reports = Object.entries(user.policies).map(([policy, document]) => {
        const parsed = parsePolicy(document, { kind: 'identity' });
        return { policy, effect: evaluate(parsed, request).effect, statements: explain(parsed, request) };
      });
      const effects = reports.map(({ effect }) => effect);
      const allowed = user.enabled && !effects.includes('deny') && (user.owner || effects.includes('allow'));
      if (!allowed) context.exit(exitCode.findings);
      if (options.json === true) {
        context.out.write(`${JSON.stringify({ user: name, allowed, policies: reports }, null, 2)}\n`);
        return;
      }
      const verdict = verdictOf(
        { allowed, enabled: user.enabled, owner: user.owner, denied: effects.includes('deny') },
        name,
      );
      context.out.write(`${verdict} ${action} on ${request.resource}\n`);
      for (const { policy, statements } of reports) {
        for (const { statement, why } of statements) context.out.write(`  ${policy}, ${statement}: ${why}\n`);
      }
    });
};

interface Outcome {
  readonly allowed: boolean;
  readonly enabled: boolean;
  readonly owner: boolean;
  readonly denied: boolean;
}

function verdictOf({ allowed, enabled, owner, denied }: Outcome, name: string): string {
  if (!enabled) return `denied: ${name} is disabled, whatever its policies say of`;
  if (denied) return `denied: a policy of ${name} denies`;
  if (!allowed) return `denied: no policy of ${name} allows`;
  return owner
    ? `allowed: ${name} owns its account, and no policy of it denies`
    : `allowed: a policy of ${name} allows`;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function parsePair(pair: string): readonly [string, string] {
  const equals = pair.indexOf('=');
  if (equals > 0) return [normaliseKey(pair.slice(0, equals)), pair.slice(equals + 1)];
  throw new UsageError(`--with ${pair} is no pair`, { subject: '--with', advice: 'write it like s3:prefix=alice/' });
}
