import { type Json, listOf, type PolicyDocument } from '../../src/bucket/index.ts';

export interface Mutation {
  readonly name: string;
  readonly policy: PolicyDocument;
}

type Members = { readonly [key: string]: Json };

const isMembers = (value: Json): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The policy without each of its statements in turn, and without each of their conditions. */
export function mutationsOf(policy: PolicyDocument): readonly Mutation[] {
  const statements = listOf(policy.Statement).filter(isMembers);
  return statements.flatMap((statement, index) => {
    const label = typeof statement.Sid === 'string' ? statement.Sid : `statement ${index + 1}`;
    const others = statements.filter((other) => other !== statement);
    const dropped = { name: `without ${label}`, policy: { ...policy, Statement: others } };
    const { Condition, ...rest } = statement;
    if (Condition === undefined) return [dropped];
    const loose = statements.map((other) => (other === statement ? rest : other));
    return [dropped, { name: `${label} without its condition`, policy: { ...policy, Statement: loose } }];
  });
}
