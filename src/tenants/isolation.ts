import type { ProviderProfile } from '../providers/index.ts';
import type { Tenant } from './model.ts';

/** By what tenants are kept apart. */
export type Isolation =
  /** Users of our own server, each with a policy of its own. */
  | 'users'
  /** Users that the provider's own tools make, each with a policy that we write. */
  | 'identity'
  /** Bucket policies that name the tenants. */
  | 'principals'
  /** Nothing finer than keys for a bucket each, given out by the provider's console. */
  | 'own-bucket';

export interface IsolationFacts {
  readonly kind: Isolation;
  /** What is had and what is not, for people. */
  readonly tradeOff: string;
}

/** What the provider can do, from its profile. */
export function isolationOf(profile: ProviderProfile): IsolationFacts {
  const kind = profile.isolation ?? 'own-bucket';
  const { isolationLimit: limit } = profile;
  return { kind, tradeOff: limit === undefined ? tradeOffs[kind] : `${tradeOffs[kind]}; ${limit}` };
}

const tradeOffs: Readonly<Record<Isolation, string>> = {
  users:
    'each tenant is a user of the server with a policy of its own: a new user may do nothing until it is allowed to, and keys are made, rotated and ended here',
  identity:
    'each tenant is a user of the provider with the policy below; users and keys are made by the provider\u2019s own tools, and a user who gets another policy beside may do more',
  principals:
    'bucket policies name the tenants; keys are made in the provider\u2019s console. Keys of a project of its own see nothing until they are allowed to. Keys of the same project see everything until it is denied: every bucket needs the fence, also those that are made later, and the names of all buckets stay visible to them',
  'own-bucket':
    'this provider has no policies that we know to hold: give each tenant a bucket and a key for that bucket alone, by the provider\u2019s console; prefixes within one bucket would be open to all its keys',
};

const PROJECT = /:user\/([^:]+)(?::(.+))?$/;

/** The project (Ceph: the user) that a principal belongs to: all its keys reach all its buckets. */
export const projectOf = (principal: string): string | undefined => PROJECT.exec(principal)?.[1];

/** Whether the principal means every key of its project rather than one. */
export const isWholeProject = (principal: string): boolean => PROJECT.exec(principal)?.[2] === undefined;

/** Whether a tenant's keys are of the administrators' project, so that an Allow would give them what they have. */
export function sharesProject({ principals }: Tenant, administrators: readonly string[]): boolean {
  const ours = new Set(administrators.map(projectOf));
  return principals.some((principal) => ours.has(projectOf(principal)));
}
