import type { Eventually } from '../core/eventually.ts';
import { evaluate, isPublic, type Policy, type PolicyRequest, type Requester, type Verdict } from '../policy/index.ts';
import { StoreError } from '../store/errors.ts';
import type { BucketInfo, ObjectInfo, ObjectStore } from '../store/port.ts';
import type { Authorise, Caller, Check, Decision, RequestFacts } from './access.ts';
import { decodeAcl, grants, ownerIn, type Permission, privateAcl } from './acl/model.ts';
import { bucketAcl, effectivePublicAccessBlock, ownershipFrom, parsedPolicy } from './bucket-access.ts';
import { conditionContext, needsExistingTags } from './condition-keys.ts';

/** What of an ACL allows an action (S3 User Guide, "Mapping of ACL permissions and access policy permissions"). */
const OF_BUCKET = new Map<string, Permission>([
  ['s3:ListBucket', 'READ'],
  ['s3:ListBucketVersions', 'READ'],
  ['s3:ListBucketMultipartUploads', 'READ'],
  ['s3:PutObject', 'WRITE'],
  ['s3:DeleteObject', 'WRITE'],
  ['s3:DeleteObjectVersion', 'WRITE'],
  ['s3:GetBucketAcl', 'READ_ACP'],
  ['s3:PutBucketAcl', 'WRITE_ACP'],
]);
const OF_OBJECT = new Map<string, Permission>([
  ['s3:GetObject', 'READ'],
  ['s3:GetObjectVersion', 'READ'],
  ['s3:GetObjectAcl', 'READ_ACP'],
  ['s3:GetObjectVersionAcl', 'READ_ACP'],
  ['s3:PutObjectAcl', 'WRITE_ACP'],
  ['s3:PutObjectVersionAcl', 'WRITE_ACP'],
]);

/** By these the owner of a bucket gets out of a policy that shuts everybody out, as on S3. */
const POLICY_ACTIONS = new Set(['s3:GetBucketPolicy', 's3:PutBucketPolicy', 's3:DeleteBucketPolicy']);

/** Actions that have a name of their own for a version of an object. */
const VERSIONED = /^s3:(?:(?:Get|Delete)Object|(?:Get|Put|Delete)Object(?:Acl|Tagging|Attributes|Torrent))$/;

const NONE: Verdict = { effect: 'none' };

/**
 * Users, bucket policies, ACLs, ownership and the public access block together (IAM User Guide, "Policy evaluation
 * logic"): an explicit deny wins; within the bucket's account one allow is enough; from another account both sides must
 * allow; nobody in particular needs the bucket's word.
 */
export const policiesAndAcls: Authorise = (caller, check, store, facts) => {
  if (check.bucket === undefined) return ofAccount(caller, check, facts);
  const reads = store.instant;
  if (reads === undefined) return withReads(caller, check, store, facts);
  const bucket = reads.bucket(check.bucket);
  const policy = reads.bucketConfiguration(check.bucket, 'policy');
  const ownership = reads.bucketConfiguration(check.bucket, 'ownership-controls');
  return judge({ caller, check, store, facts, bucket }, policy, ownership);
};

async function withReads(caller: Caller, check: Check, store: ObjectStore, facts: RequestFacts): Promise<Decision> {
  const { bucket: name = '' } = check;
  const bucket = await store.bucket(name);
  const policy = await store.bucketConfiguration(name, 'policy');
  return judge(
    { caller, check, store, facts, bucket },
    policy,
    await store.bucketConfiguration(name, 'ownership-controls'),
  );
}

function judge(
  question: Omit<Question, 'policy' | 'acls'>,
  policyText: string | undefined,
  ownership: string | undefined,
): Eventually<Decision> {
  const { caller, check, bucket } = question;
  const ownerUser = isAccountOwner(caller) && caller.principal === bucket.owner;
  // The hot path: the owner's own bucket, nothing configured.
  if (ownerUser && (POLICY_ACTIONS.has(check.action) || (policyText === undefined && check.key === undefined))) {
    return true;
  }
  const acls = ownershipFrom(ownership) !== 'BucketOwnerEnforced';
  if (ownerUser && policyText === undefined && !acls) return true;
  const policy = policyText === undefined ? undefined : parsedPolicy(policyText, bucket.name);
  return decide({ ...question, policy, acls });
}

interface Question {
  readonly caller: Caller;
  readonly check: Check;
  readonly store: ObjectStore;
  readonly facts: RequestFacts;
  readonly bucket: BucketInfo;
  readonly policy: Policy | undefined;
  readonly acls: boolean;
}

async function decide(question: Question): Promise<Decision> {
  const { caller, check, facts, bucket, policy, acls } = question;
  const user = caller.kind === 'principal' ? caller.user : undefined;
  const tagsAsked = [policy, ...(user?.policies ?? [])].some((one) => one !== undefined && needsExistingTags(one.keys));
  const object = acls || tagsAsked ? await existing(question) : undefined;
  const requester = requesterOf(caller);
  const request: PolicyRequest = {
    requester,
    action: actionOf(check, facts),
    resource: `arn:aws:s3:::${bucket.name}${check.key === undefined ? '' : `/${check.key}`}`,
    context: conditionContext(caller, check, facts, requester, bucket.owner, object?.tags),
  };
  const identity = byIdentity(caller, request);
  if (identity.effect === 'deny')
    return denied(caller, bucket, request, 'with an explicit deny in an identity-based policy');
  const said = policy === undefined ? NONE : evaluate(policy, request);
  if (said.effect === 'deny')
    return denied(caller, bucket, request, 'with an explicit deny in a resource-based policy');
  const own = caller.kind === 'principal' && caller.principal === bucket.owner;
  const resource = await restricted(question, own, said);
  const objectOwner = acls && object?.acl !== undefined ? decodeAcl(object.acl).owner : bucket.owner;
  const foreign = objectOwner !== bucket.owner && OF_OBJECT.has(request.action);
  if (own && !foreign) {
    if (identity.effect === 'allow' || (resource.effect === 'allow' && resource.by === 'direct')) return true;
    return denied(caller, bucket, request, `because no identity-based policy allows the ${request.action} action`);
  }
  // The bucket's owner speaks for the objects that are its own.
  const allowed =
    (!foreign && resource.effect === 'allow') ||
    (acls && ((await byAcl(question, object, request.action, objectOwner)) || (await isInitiator(question))));
  if (allowed && (caller.kind === 'anonymous' || identity.effect === 'allow')) return true;
  return denied(caller, bucket, request, `because no resource-based policy allows the ${request.action} action`);
}

/** CreateBucket and ListBuckets: the caller's own account decides. */
function ofAccount(caller: Caller, check: Check, facts: RequestFacts): Decision {
  if (caller.kind === 'anonymous') return false;
  const requester = requesterOf(caller);
  const context = conditionContext(caller, check, facts, requester, undefined, undefined);
  const resource = `arn:aws:s3:::${facts.bucket}`;
  return byIdentity(caller, { requester, action: check.action, resource, context }).effect === 'allow';
}

type Standing = { readonly effect: 'allow' | 'deny' | 'none' };

/** What a caller's own policies say. An account's owner may all that its account may, but for what they deny. */
function byIdentity(caller: Caller, request: PolicyRequest): Standing {
  if (caller.kind === 'anonymous') return NONE;
  if (caller.user === undefined) return { effect: 'allow' };
  let allowed = caller.user.owner;
  for (const policy of caller.user.policies) {
    const { effect } = evaluate(policy, request);
    if (effect === 'deny') return { effect };
    if (effect === 'allow') allowed = true;
  }
  return { effect: allowed ? 'allow' : 'none' };
}

/** RestrictPublicBuckets: a public policy lets nobody in from outside the account, whomever else it names. */
async function restricted({ policy, store, bucket }: Question, own: boolean, said: Verdict): Promise<Verdict> {
  if (own || said.effect !== 'allow' || policy === undefined || !isPublicCached(policy)) return said;
  return (await effectivePublicAccessBlock(store, bucket.name)).restrictPublicBuckets ? NONE : said;
}

async function byAcl(
  { caller, store, bucket }: Question,
  object: ObjectInfo | undefined,
  action: string,
  objectOwner: string,
): Promise<boolean> {
  const account = caller.kind === 'principal' ? caller.principal : undefined;
  const ofObject = OF_OBJECT.get(action);
  const permission = ofObject ?? OF_BUCKET.get(action);
  if (permission === undefined) return false;
  // Whatever an object's list says, its owner can read and mend it.
  if (ofObject !== undefined && permission !== 'READ' && objectOwner === account) return true;
  const acl =
    ofObject === undefined
      ? await bucketAcl(store, bucket.name, bucket.owner)
      : object?.acl === undefined
        ? privateAcl(objectOwner)
        : decodeAcl(object.acl);
  const { ignorePublicAcls } = await effectivePublicAccessBlock(store, bucket.name);
  return grants(acl, permission, account, ignorePublicAcls);
}

/** What the account that began an upload may do with it without anybody's word (User Guide, "Multipart upload permissions"). */
const OF_UPLOAD = new Set(['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts']);

async function isInitiator({ caller, check, store, facts, bucket }: Question): Promise<boolean> {
  const uploadId = facts.query.get('uploadId');
  if (!OF_UPLOAD.has(check.action) || caller.kind === 'anonymous' || uploadId === undefined) return false;
  try {
    const { acl } = await store.upload(facts.bucket, facts.key, uploadId);
    return ownerIn(acl, bucket.owner) === caller.principal;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'no-such-upload') return false;
    throw error;
  }
}

/** The version that a check is about, when there is one. */
async function existing({ check, store, facts }: Question): Promise<ObjectInfo | undefined> {
  if (check.bucket === undefined || check.key === undefined) return undefined;
  try {
    return await store.objectInfo(check.bucket, check.key, versionOf(check, facts));
  } catch (error) {
    if (error instanceof StoreError && ABSENT.has(error.code)) return undefined;
    throw error;
  }
}

const ABSENT: ReadonlySet<string> = new Set(['no-such-key', 'no-such-version', 'invalid-version', 'delete-marker']);

/** The request's own version is of the request's own key only, not of what it copies from. */
function versionOf({ bucket, key, versionId }: Check, facts: RequestFacts): string | undefined {
  return versionId ?? (bucket === facts.bucket && key === facts.key ? facts.query.get('versionId') : undefined);
}

function actionOf(check: Check, facts: RequestFacts): string {
  const { action } = check;
  if (!VERSIONED.test(action) || versionOf(check, facts) === undefined) return action;
  return action.replace('Object', 'ObjectVersion');
}

export function requesterOf(caller: Caller): Requester {
  if (caller.kind === 'anonymous') return caller;
  const { principal, user } = caller;
  return {
    kind: 'user',
    account: principal,
    canonicalId: principal,
    arn: user?.arn ?? `arn:aws:iam::${principal}:root`,
    owner: user?.owner ?? true,
  };
}

function isAccountOwner(caller: Caller): caller is Extract<Caller, { kind: 'principal' }> {
  return (
    caller.kind === 'principal' &&
    (caller.user === undefined || (caller.user.owner && caller.user.policies.length === 0))
  );
}

/** Only members of the bucket's account are told why, as on S3. */
function denied(
  caller: Caller,
  bucket: BucketInfo,
  { action, resource, requester }: PolicyRequest,
  why: string,
): Decision {
  if (caller.kind === 'anonymous' || caller.principal !== bucket.owner || requester.kind === 'anonymous') return false;
  return { denied: `User: ${requester.arn} is not authorized to perform: ${action} on resource: "${resource}" ${why}` };
}

const publicness = new WeakMap<Policy, boolean>();

function isPublicCached(policy: Policy): boolean {
  let known = publicness.get(policy);
  if (known === undefined) {
    known = isPublic(policy);
    publicness.set(policy, known);
  }
  return known;
}

/**
 * Whether anonymous callers may be heard at all on a bucket, before a body is read for them: a policy or list that says
 * something to everybody.
 */
export async function welcomesAnonymous(store: ObjectStore, bucket: string): Promise<boolean> {
  if ((await store.bucketConfiguration(bucket, 'policy')) !== undefined) return true;
  return (await store.bucketConfiguration(bucket, 'acl')) !== undefined;
}
