import { holds } from './conditions.ts';
import type { Match, Policy, PolicyRequest, Statement } from './model.ts';
import { matches } from './pattern.ts';
import { type Inclusion, includes } from './principals.ts';

/** What one policy says of a request. `account`: it allows the requester's account, which must allow it in turn. */
export type Verdict =
  | { readonly effect: 'none' }
  | { readonly effect: 'deny'; readonly statement: Statement }
  | { readonly effect: 'allow'; readonly by: 'direct' | 'account'; readonly statement: Statement };

const NONE: Verdict = { effect: 'none' };

/** An explicit deny wins over any allow, whatever their order. */
export function evaluate(policy: Policy, request: PolicyRequest): Verdict {
  let allowed: Verdict = NONE;
  for (const statement of policy.statements) {
    const inclusion = applies(statement, request);
    if (inclusion === 'no') continue;
    if (statement.effect === 'Deny') return { effect: 'deny', statement };
    if (allowed.effect === 'none' || (allowed.effect === 'allow' && allowed.by === 'account')) {
      allowed = { effect: 'allow', by: inclusion, statement };
    }
  }
  return allowed;
}

/** Whether and how a statement applies. */
export function applies(statement: Statement, request: PolicyRequest): Inclusion {
  const { principals } = statement;
  const inclusion = principals === undefined ? 'direct' : includes(principals, request.requester);
  if (inclusion === 'no') return 'no';
  if (!meets(statement.actions, request.action.toLowerCase(), request)) return 'no';
  if (!meets(statement.resources, request.resource, request)) return 'no';
  return statement.conditions.every((condition) => holds(condition, request.context)) ? inclusion : 'no';
}

export function meets({ patterns, negated }: Match, text: string, { context }: PolicyRequest): boolean {
  return patterns.some((pattern) => matches(pattern, text, context)) !== negated;
}
