import { type Isolation, isWholeProject, projectOf } from './isolation.ts';
import type { TenantPlanInput, TenantProblem } from './plan-model.ts';

/** Everything about the tenants that the provider cannot do or that would be worthless or dangerous, at once. */
export function tenantProblems(input: TenantPlanInput, isolation: Isolation): readonly TenantProblem[] {
  const problems: TenantProblem[] = [];
  const refuse = (subject: string, problem: string, advice: string) => problems.push({ subject, problem, advice });
  const { tenants, profile, live } = input;
  for (const { name, places, quotaBytes } of tenants) {
    const part = places.find((place) => place.prefix !== '');
    if (quotaBytes !== undefined && profile.quotas === undefined) {
      refuse(name, `a quota cannot be enforced on ${profile.title}`, 'leave quota out, and watch what is billed');
    } else if (quotaBytes !== undefined && part !== undefined) {
      refuse(
        name,
        `a quota is counted by bucket, and ${part.bucket}/${part.prefix} is a part of one`,
        'give the tenant a bucket of its own, or leave quota out',
      );
    } else if (quotaBytes !== undefined && profile.quotas !== 'server' && places.length > 1) {
      refuse(name, `${profile.title} counts each bucket by itself`, 'give the tenant one bucket, or leave quota out');
    }
    const foreign = live.users?.find((user) => user.name === name && !('tenant' in user.policies));
    if (foreign !== undefined) {
      refuse(name, 'there is a user of this name who is no tenant', 'give the tenant another name, or remove the user');
    }
    if (isolation === 'own-bucket' && part !== undefined) {
      refuse(
        name,
        `${profile.title} cannot keep ${part.bucket}/${part.prefix} from the other keys of ${part.bucket}`,
        'give it a bucket of its own',
      );
    }
  }
  const named = new Set([
    ...tenants.flatMap(({ places }) => places.map(({ bucket }) => bucket)),
    ...input.otherBuckets,
  ]);
  for (const bucket of live.hidden.filter((one) => named.has(one))) {
    refuse(bucket, 'this key may not look at it', 'check its policy, and whose bucket it is');
  }
  if (isolation === 'own-bucket') {
    const buckets = tenants.flatMap(({ name, places }) => places.map(({ bucket }) => ({ name, bucket })));
    for (const [index, { name, bucket }] of buckets.entries()) {
      const other = buckets.slice(0, index).find((one) => one.bucket === bucket && one.name !== name);
      if (other !== undefined) refuse(name, `shares ${bucket} with ${other.name}`, 'give each a bucket of its own');
    }
  }
  if (isolation === 'principals') ofPrincipals(input, refuse);
  return problems;
}

function ofPrincipals(
  { tenants, administrators, profile, keyId, live, managedPolicies }: TenantPlanInput,
  refuse: (subject: string, problem: string, advice: string) => void,
): void {
  if (tenants.length === 0) return;
  const { principal, principalEndsWithKeyId } = profile.policy;
  const form = principal?.form ?? 'the ARN';
  const own = live.project;
  if (administrators.length === 0) {
    const hint =
      own === undefined ? form : `arn:aws:iam:::user/${own}:${principalEndsWithKeyId === true ? keyId : 'SUBUSER'}`;
    refuse(
      'administrators',
      'nobody is named who must stay in',
      `administrators: [${hint}] in bucketwright.yaml: the key that provisions, and those of Loki and Tempo`,
    );
    return;
  }
  const ours = new Set([...administrators.map(projectOf), ...(own === undefined ? [] : [own])]);
  const owner = new Map<string, string>();
  for (const arn of [...administrators, ...tenants.flatMap(({ principals }) => principals)]) {
    if (principal?.pattern.test(arn) === false) {
      refuse(arn, `matches nobody on ${profile.title}, which would not say so`, `write ${form}`);
    }
  }
  for (const { name, principals, suspended } of tenants) {
    if (principals.length === 0 && !suspended) refuse(name, 'has no principal', 'make a key as shown, and name it');
    for (const arn of principals) {
      const other = owner.get(arn);
      if (other !== undefined) refuse(name, `${arn} is ${other}, too`, 'each tenant needs a key of its own');
      owner.set(arn, name);
      if (administrators.includes(arn)) refuse(name, `${arn} is an administrator`, 'give the tenant a key of its own');
      if (ours.has(projectOf(arn)) && isWholeProject(arn)) {
        refuse(name, `${arn} means every key of the administrators' project`, `name one key: ${form}`);
      }
    }
  }
  const sameProject = tenants.some(({ principals }) => principals.some((arn) => ours.has(projectOf(arn))));
  if (!sameProject) return;
  if (own !== undefined && !administrators.some((arn) => projectOf(arn) === own)) {
    refuse(
      'administrators',
      `none of them is of ${own}, whose buckets these are, while keys of ${own} are tenants`,
      `name the key that provisions: arn:aws:iam:::user/${own}:…; an Allow alone would be worthless, as these keys have everything`,
    );
  }
  for (const arn of administrators.filter(isWholeProject)) {
    refuse(
      'administrators',
      `${arn} means every key of its project, the tenants' too, so that nobody would be shut out`,
      `name one key: ${form}`,
    );
  }
  if (principalEndsWithKeyId === true && !administrators.some((arn) => arn.endsWith(`:${keyId}`))) {
    refuse(
      'administrators',
      'the key that provisions is not among them and would be shut out for good',
      `add its principal, ${form} with ${keyId}`,
    );
  }
  for (const bucket of managedPolicies) {
    refuse(
      bucket,
      'bucketwright.yaml writes out its policy, and the tenants need to be in it',
      'leave policy out there: statements that are not ours are kept',
    );
  }
}
