import { PolicyError } from './errors.ts';
import type { Principals, Requester } from './model.ts';

/** The account that an ARN without one means, as Ceph writes them, and whose owner is the root key. */
export const ROOT_ACCOUNT = 'root';

const ARN =
  /^arn:aws:(?:iam|sts)::([A-Za-z0-9_.$@-]*):(root|(?:user|role|group|assumed-role|federated-user)\/[A-Za-z0-9_+=,.@/:$-]+)$/;

/**
 * `"*"` or `{"AWS": …, "CanonicalUser": …}`. Whole accounts by `arn:aws:iam::ACCOUNT:root` or by their id alone. Services
 * and federated identities are taken and match nobody here.
 * @throws PolicyError `invalid-principal`
 */
export function parsePrincipals(value: unknown, negated: boolean): Principals {
  const principals = {
    negated,
    anyone: false,
    accounts: new Set<string>(),
    arns: new Set<string>(),
    canonicalIds: new Set<string>(),
  };
  if (value === '*') return { ...principals, anyone: true };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(value);
  const entries = Object.entries(value);
  if (entries.length === 0) throw invalid(value);
  for (const [kind, given] of entries) {
    const list: unknown[] = Array.isArray(given) ? given : [given];
    if (list.length === 0) throw invalid(given);
    for (const one of list) {
      if (typeof one !== 'string' || one === '') throw invalid(one);
      if (kind === 'AWS') addAws(principals, one);
      else if (kind === 'CanonicalUser') principals.canonicalIds.add(one);
      else if (kind !== 'Service' && kind !== 'Federated') throw invalid(kind);
    }
  }
  return principals;
}

interface Growing {
  anyone: boolean;
  readonly accounts: Set<string>;
  readonly arns: Set<string>;
}

function addAws(principals: Growing, text: string): void {
  if (text === '*') {
    principals.anyone = true;
    return;
  }
  if (/^[A-Za-z0-9_.-]+$/.test(text)) {
    principals.accounts.add(text);
    return;
  }
  const match = ARN.exec(text);
  if (match === null) throw invalid(text);
  const account = match[1] || ROOT_ACCOUNT;
  if (match[2] === 'root') principals.accounts.add(account);
  else principals.arns.add(`arn:aws:iam::${account}:${match[2]}`);
}

/** How a statement's principals take in a requester. `account` names the whole account, which then decides by itself. */
export type Inclusion = 'no' | 'account' | 'direct';

export function includes(principals: Principals, requester: Requester): Inclusion {
  const named = namedIn(principals, requester);
  if (!principals.negated) return named;
  // NotPrincipal comes with Deny only. Naming an account excepts its owner; each other user has to be named, as on AWS.
  return named === 'direct' ? 'no' : 'direct';
}

function namedIn(principals: Principals, requester: Requester): Inclusion {
  if (principals.anyone) return 'direct';
  if (requester.kind === 'anonymous') return 'no';
  if (principals.arns.has(requester.arn)) return 'direct';
  if (principals.accounts.has(requester.account) || principals.canonicalIds.has(requester.canonicalId)) {
    return requester.owner ? 'direct' : 'account';
  }
  return 'no';
}

function invalid(value: unknown): PolicyError {
  return new PolicyError(
    'invalid-principal',
    'Invalid principal in policy',
    String(JSON.stringify(value)).slice(0, 256),
  );
}
