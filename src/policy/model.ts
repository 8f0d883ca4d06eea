import type { RequestContext } from './context.ts';
import type { Pattern } from './pattern.ts';

/** A parsed policy. Actions are in lower case, as they compare; everything else is as written. */
export interface Policy {
  readonly id: string | undefined;
  readonly statements: readonly Statement[];
  /** The condition keys and variables that a request must answer, in lower case up to a tag's name. */
  readonly keys: ReadonlySet<string>;
}

export interface Statement {
  /** For people: the Sid, or the statement's number. */
  readonly label: string;
  readonly effect: 'Allow' | 'Deny';
  /** Undefined in identity policies, which speak of whom they are attached to. */
  readonly principals: Principals | undefined;
  readonly actions: Match;
  readonly resources: Match;
  readonly conditions: readonly Condition[];
}

/** `negated` is what the `Not…` element says: anything but these. */
export interface Match {
  readonly negated: boolean;
  readonly patterns: readonly Pattern[];
}

export interface Principals {
  readonly negated: boolean;
  readonly anyone: boolean;
  /** Whole accounts, by id. */
  readonly accounts: ReadonlySet<string>;
  /** Users and roles, by ARN. */
  readonly arns: ReadonlySet<string>;
  readonly canonicalIds: ReadonlySet<string>;
}

export interface Condition {
  /** As written, such as `ForAnyValue:StringLikeIfExists`. */
  readonly operator: string;
  readonly key: string;
  readonly quantifier: 'any' | 'all' | undefined;
  readonly ifExists: boolean;
  readonly test: ValueTest;
  /** Whether the test is of a negated operator: true when the key is missing, and none of the values may match. */
  readonly negated: boolean;
  readonly null: boolean;
  /** As written, to decide what is public and to explain. */
  readonly values: readonly string[];
}

/** Whether one value of the request matches one of the condition's. */
export type ValueTest = (value: string, context: RequestContext) => boolean;

/** Who asks. An account's owner (the root key's place) holds all rights of the account by itself. */
export type Requester =
  | { readonly kind: 'anonymous' }
  | {
      readonly kind: 'user';
      readonly account: string;
      /** The account's id in ACLs and as an owner. */
      readonly canonicalId: string;
      readonly arn: string;
      readonly owner: boolean;
    };

export interface PolicyRequest {
  readonly requester: Requester;
  /** Such as `s3:GetObject`. */
  readonly action: string;
  /** Such as `arn:aws:s3:::bucket/key`. */
  readonly resource: string;
  readonly context: RequestContext;
}
