import type { RawAnswer, RawRequest } from '../../client/index.ts';
import type { Connection, Feature } from '../../providers/index.ts';
import type { Place } from '../model.ts';

/** A tenant that attacks and is attacked, with keys of its own. */
export interface AuditedTenant {
  readonly name: string;
  readonly places: readonly Place[];
  /** By the tenant's keys. */
  readonly connection: Connection;
}

/** What a tenant has lying about for others to steal. */
export interface Bait extends Place {
  readonly tenant: string;
  /** The folder of this audit: all that it makes lies below. */
  readonly folder: string;
  readonly key: string;
  /** What the object holds, and nothing else does. */
  readonly marker: string;
  readonly uploadId: string;
  readonly uploadKey: string;
  readonly partEtag: string;
}

export interface AttackContext {
  readonly own: Bait;
  readonly victim: Bait;
  /** The attacker's keys, for what is signed by hand. */
  readonly connection: Connection;
  /** Configurations as they are now, so that an attack that gets through changes as little as can be. */
  readonly state: BucketState;
  /** The same of the attacker's own bucket. */
  readonly ownState: BucketState;
}

/** What of a bucket's configuration the administrator could read; by subresource, the document. */
export type BucketState = ReadonlyMap<string, string>;

/**
 * `denied`: must be refused for lack of rights. `nothing`: may be answered, as it is about the attacker's own keys or
 * none, but must neither show nor change anything of the victim's.
 */
export type Expectation = 'denied' | 'nothing';

export interface Attack {
  /** As AWS names it. */
  readonly operation: string;
  /** How it is tried; unique within the operation. */
  readonly trick: string;
  /** Not sent where the profile says `no`. */
  readonly needs?: Feature;
  /** About a key that is not there: an answer that says so shows names, not objects. */
  readonly oracle?: boolean;
  /** Names of the providers that are known to take it for what it is; undefined: it is harmless everywhere. */
  readonly knownTo?: readonly string[];
  readonly expect: Expectation;
  /**
   * Sent otherwise than it was signed, or spelt so that servers read it in different ways: that the signature is refused
   * is then a refusal. Of all other attacks it would only say that no right was looked at.
   */
  readonly disguised?: boolean;
  /** Of a provider that asks before the rights whether the bucket can do it at all: what it answers where it cannot. */
  readonly refusedFirst?: { readonly provider: string; readonly code: string };
  /** Whether nobody's signature tries it, too. */
  readonly anonymous?: boolean;
  /** Only where the victim shares the bucket with the attacker, or only where not. */
  readonly when?: 'same-bucket' | 'other-bucket';
  request(context: AttackContext): RawRequest;
  /** What an answer gives away beyond the bait itself; undefined: nothing. */
  leaks?(answer: RawAnswer, context: AttackContext): string | undefined;
}

export type Verdict =
  /** Refused. */
  | 'denied'
  /** Answered without anything of the victim's, as it may be. */
  | 'nothing'
  | 'leak'
  /** A bucket's name is shown, or whether a key is there: what some providers show to all keys of a project. */
  | 'visible'
  /** The server does not know the operation. */
  | 'unsupported'
  /** An answer that proves neither. */
  | 'unclear';

export interface Judgement {
  readonly verdict: Verdict;
  /** One line: the status, S3's code, what gives a leak away. */
  readonly found: string;
}

export type Judge = (attack: Attack, context: AttackContext, answer: RawAnswer) => Judgement;

/** One attack that was made. */
export interface AuditResult extends Judgement {
  readonly attacker: string;
  readonly victim: string;
  readonly place: string;
  readonly operation: string;
  readonly trick: string;
}
