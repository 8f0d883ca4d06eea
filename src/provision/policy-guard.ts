import {
  type CanonicalStatement,
  coversAction,
  coversText,
  type PolicyDocument,
  statementsOf,
} from '../bucket/index.ts';
import type { PolicyDialect, ProviderProfile } from '../providers/index.ts';
import type { PlanProblem } from './errors.ts';

/** What must stay allowed to us, or nobody can repair the policy. */
const repairing = ['s3:PutBucketPolicy', 's3:DeleteBucketPolicy'] as const;

/** Whether a statement denies, of the bucket itself, what repairing its policy needs. */
export function deniesRepair(statement: CanonicalStatement, bucket: string): boolean {
  return statement.effect === 'Deny' && repairing.some((action) => coversBucketAction(statement, action, bucket));
}

export function coversBucketAction(statement: CanonicalStatement, action: string, bucket: string): boolean {
  const { actions, notActions, resources, notResources } = statement;
  const acts =
    actions.length > 0
      ? actions.some((pattern) => coversAction(pattern, action))
      : !notActions.some((pattern) => coversAction(pattern, action));
  const hits =
    resources.length > 0
      ? resources.some((pattern) => coversBucket(pattern, bucket))
      : !notResources.some((pattern) => coversBucket(pattern, bucket));
  return acts && hits;
}

/** Written as an ARN or, where those are refused, as the bare name. */
const coversBucket = (pattern: string, bucket: string): boolean =>
  coversText(pattern, `arn:aws:s3:::${bucket}`) || coversText(pattern, bucket);

/** Who provisions, as far as it is known. */
export interface Acting {
  readonly keyId: string;
  /** The project (Ceph: the user) that owns the buckets; undefined: the provider does not tell. */
  readonly project: string | undefined;
}

/**
 * What can be known to be wrong with a policy before it is sent: it shuts everybody out, it names nobody that the provider
 * knows, it grants what everybody has anyway. Who a key really is, only the provider knows: `apply` proves that.
 */
export function policyProblems(
  bucket: string,
  policy: PolicyDocument,
  { name: provider, title, policy: dialect, isolation }: ProviderProfile,
  { keyId, project }: Acting,
): readonly PlanProblem[] {
  const problems: PlanProblem[] = [];
  const refuse = (problem: string, advice: string) => problems.push({ kind: 'policy', bucket, problem, advice });
  const statements = statementsOf(policy);
  const bucketResource = dialect.bareResources === true ? bucket : `arn:aws:s3:::${bucket}`;
  for (const [index, statement] of statements.entries()) {
    const name = `policy statement ${statement.sid ?? index + 1}`;
    const { principals, notPrincipals, resources, notResources } = statement;
    if (statement.effect !== 'Allow' && statement.effect !== 'Deny') {
      refuse(`${name} has no Effect`, 'Effect is Allow or Deny');
    }
    if (principals.length === 0 && notPrincipals.length === 0) {
      refuse(`${name} has no Principal`, 'say whom it is about: Principal, or NotPrincipal in a Deny');
    }
    const unconditional = statement.conditions.length === 0;
    if (deniesRepair(statement, bucket) && unconditional && principals.includes('* *')) {
      refuse(
        `${name} denies everybody, you included, to change the policy again`,
        'name whom it spares: NotPrincipal with the key that provisions',
      );
    }
    for (const resource of [...resources, ...notResources]) {
      if (ownResource(resource, bucketResource)) continue;
      refuse(
        `${name} names ${resource}, which is not of this bucket`,
        `a bucket policy speaks of ${bucketResource} and ${bucketResource}/*; others match nothing, or are refused`,
      );
    }
    const { principal, actions: known, ignored = [], principalEndsWithKeyId } = dialect;
    for (const written of [...principals, ...notPrincipals]) {
      const arn = written.replace(/^AWS /, '');
      if (principal === undefined || arn === '* *' || principal.pattern.test(arn)) continue;
      refuse(`${name} names ${arn}, which matches nobody on ${title}`, `write ${principal.form}`);
    }
    for (const pattern of known === undefined ? [] : [...statement.actions, ...statement.notActions]) {
      if (known?.some((action) => coversAction(pattern, action)) === true) continue;
      refuse(
        `${name} names ${pattern}, for which ${title} refuses the whole policy`,
        `leave the action out; bucketwright provider show ${provider} --json lists those it knows`,
      );
    }
    if (ignored.includes('NotAction') && statement.notActions.length > 0) {
      refuse(`${name} has NotAction, which ${title} ignores`, 'list the actions');
    }
    if (ignored.includes('NotResource') && notResources.length > 0) {
      refuse(`${name} has NotResource, which ${title} ignores`, 'list the resources');
    }
    if (principalEndsWithKeyId !== true || !deniesRepair(statement, bucket)) continue;
    const spared = notPrincipals.some((arn) => arn.endsWith(`:${keyId}`));
    if (notPrincipals.length > 0 && !spared) {
      refuse(
        `${name} spares others but not the key that provisions, and would shut it out for good`,
        `add its principal, ${principal?.form ?? 'the ARN'} with ${keyId}, to NotPrincipal`,
      );
    }
    if (principals.some((arn) => arn.endsWith(`:${keyId}`)) && unconditional) {
      refuse(`${name} denies the key that provisions to change the policy again`, 'leave this key out of the Deny');
    }
  }
  if (isolation === 'principals') problems.push(...worthless(bucket, statements, title, project));
  if (dialect.implicitDeny === true) problems.push(...shutOut(bucket, statements, title, dialect));
  return problems;
}

/**
 * Where every key of a project reaches all its buckets, an Allow for a key of the same project grants what it has. Where
 * the provider does not tell whose the buckets are, several principals, all of one project, and no Deny give it away.
 */
function worthless(
  bucket: string,
  statements: readonly CanonicalStatement[],
  title: string,
  project: string | undefined,
): readonly PlanProblem[] {
  if (statements.length === 0 || statements.some(({ effect }) => effect === 'Deny')) return [];
  const named = statements.flatMap(({ principals }) => principals);
  // Everybody, also without a key: that is something.
  if (named.includes('* *')) return [];
  const projects = new Set(named.map((arn) => /:user\/([^:]+)/.exec(arn)?.[1]));
  // Keys of a second project beside: then Allow is what lets them in.
  if (projects.size !== 1 || (project === undefined ? named.length < 2 : !projects.has(project))) return [];
  return [
    {
      kind: 'policy',
      bucket,
      problem: `the policy only allows keys of one project, which on ${title} reach every bucket of their project anyway`,
      advice: 'add a Deny with NotPrincipal, or take keys of a second project',
    },
  ];
}

/** Where a policy shuts out whoever it does not name: whether anybody could change it again. */
function shutOut(
  bucket: string,
  statements: readonly CanonicalStatement[],
  title: string,
  { principal }: PolicyDialect,
): readonly PlanProblem[] {
  if (statements.length === 0) return [];
  const problems: PlanProblem[] = [];
  const refuse = (problem: string, advice: string) => problems.push({ kind: 'policy', bucket, problem, advice });
  const repairs = statements.filter((statement) =>
    repairing.some((action) => coversBucketAction(statement, action, bucket)),
  );
  if (!repairs.some(({ effect }) => effect === 'Allow')) {
    refuse(
      `the policy lets nobody change it, and on ${title} whoever it does not name is shut out, the key that provisions too`,
      `add an Allow of s3:PutBucketPolicy for its principal, ${principal?.form ?? 'the ARN'}`,
    );
  }
  // A trial would be a policy as well, and shut out whoever is not named.
  if (repairs.some(({ effect }) => effect === 'Deny')) {
    refuse(
      `the policy denies to change it, which cannot be tried harmlessly on ${title}`,
      'leave the Deny out: what is not allowed is denied there',
    );
  }
  return problems;
}

function ownResource(resource: string, bucketResource: string): boolean {
  if (resource === '*' || resource === 'arn:aws:s3:::*') return true;
  const [first = ''] = resource.split('/');
  return coversText(first, bucketResource);
}
