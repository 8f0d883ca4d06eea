import { holds } from './conditions.ts';
import { meets } from './evaluate.ts';
import type { Policy, PolicyRequest, Statement } from './model.ts';
import { includes } from './principals.ts';

/** Why a statement did or did not apply, in one line for people. */
export interface StatementReport {
  readonly statement: string;
  readonly effect: 'Allow' | 'Deny';
  readonly applies: boolean;
  readonly why: string;
}

/** Each statement of a policy against a request: the answer to "why is this 403?". */
export function explain(policy: Policy, request: PolicyRequest): readonly StatementReport[] {
  return policy.statements.map((statement) => {
    const failed = obstacle(statement, request);
    return {
      statement: statement.label,
      effect: statement.effect,
      applies: failed === undefined,
      why: failed ?? `${statement.effect === 'Deny' ? 'denies' : 'allows'} ${request.action} on ${request.resource}`,
    };
  });
}

function obstacle(
  { principals, actions, resources, conditions }: Statement,
  request: PolicyRequest,
): string | undefined {
  if (principals !== undefined && includes(principals, request.requester) === 'no') {
    return `its principal does not include ${request.requester.kind === 'anonymous' ? 'anonymous callers' : request.requester.arn}`;
  }
  if (!meets(actions, request.action.toLowerCase(), request)) return `its actions do not include ${request.action}`;
  if (!meets(resources, request.resource, request)) return `its resources do not include ${request.resource}`;
  const failed = conditions.find((condition) => !holds(condition, request.context));
  if (failed === undefined) return undefined;
  const values = request.context(failed.key);
  const given = values === undefined ? 'the request has none' : `the request has ${values.join(', ')}`;
  return `its condition ${failed.operator} ${failed.key} = ${failed.values.join(', ')} does not hold: ${given}`;
}
