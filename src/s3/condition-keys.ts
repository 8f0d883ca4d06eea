import { TLSSocket } from 'node:tls';
import { DAY } from '../core/durations.ts';
import type { RequestContext, Requester } from '../policy/index.ts';
import type { Tags } from '../store/port.ts';
import type { Caller, Check, RequestFacts } from './access.ts';
import { parseTagHeader } from './wire/tags.ts';
import { percentDecode, textOfHeader } from './wire/text.ts';

/** Headers that are condition keys under their own names (Service Authorization Reference, "Condition keys for Amazon S3"). */
const HEADERS = new Set([
  'x-amz-acl',
  'x-amz-content-sha256',
  'x-amz-copy-source',
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write',
  'x-amz-grant-write-acp',
  'x-amz-metadata-directive',
  'x-amz-object-ownership',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
]);

const PARAMETERS: Readonly<Record<string, string>> = {
  's3:prefix': 'prefix',
  's3:delimiter': 'delimiter',
  's3:max-keys': 'max-keys',
};

const EXISTING_TAG = 's3:existingobjecttag/';
const REQUEST_TAG = 's3:requestobjecttag/';

export function needsExistingTags(keys: ReadonlySet<string>): boolean {
  for (const key of keys) if (key.startsWith(EXISTING_TAG)) return true;
  return false;
}

/** A request's answers to condition keys. Nothing is computed before a policy asks. */
export function conditionContext(
  caller: Caller,
  check: Check,
  facts: RequestFacts,
  requester: Requester,
  bucketOwner: string | undefined,
  existing: Tags | undefined,
): RequestContext {
  return (key) => {
    const value = answer(key);
    return typeof value === 'string' ? [value] : value;
  };

  function answer(key: string): string | readonly string[] | undefined {
    const { headers, query } = facts;
    if (key.startsWith(EXISTING_TAG)) return tagValue(existing, key.slice(EXISTING_TAG.length));
    if (key.startsWith(REQUEST_TAG)) return tagValue(requestTags(check, facts), key.slice(REQUEST_TAG.length));
    if (key === 's3:prefix' && check.prefix !== undefined) return check.prefix;
    const parameter = PARAMETERS[key];
    if (parameter !== undefined) return query.get(parameter);
    if (key.startsWith('s3:x-amz-')) {
      const header = key.slice('s3:'.length);
      if (!HEADERS.has(header)) return undefined;
      const value = headers[header]?.toString();
      return header === 'x-amz-copy-source' ? copySource(value) : value;
    }
    if (key.startsWith('s3:object-lock-')) return lockAnswer(key, check, facts);
    switch (key) {
      case 's3:if-match':
      case 's3:if-none-match':
        return headers[key.slice('s3:'.length)]?.toString();
      case 's3:objectcreationoperation':
        return check.action === 's3:PutObject' ? String(!query.has('uploads') && !query.has('partNumber')) : undefined;
      case 's3:tlsversion':
        return tlsVersion(facts);
      case 's3:versionid':
        return check.versionId ?? query.get('versionId');
      case 's3:requestobjecttagkeys':
        return requestTags(check, facts)?.map(([name]) => name);
      case 's3:locationconstraint':
        return undefined;
      case 's3:authtype':
        return facts.signature?.type;
      case 's3:signatureversion':
        return facts.signature?.version;
      case 's3:signatureage':
        return facts.signature === undefined ? undefined : Math.max(0, facts.now - facts.signature.signed).toString();
      case 's3:resourceaccount':
      case 'aws:resourceaccount':
        return bucketOwner;
      case 'aws:sourceip':
        return facts.sourceIp;
      case 'aws:securetransport':
        return String(facts.connection instanceof TLSSocket);
      case 'aws:useragent':
        return headers['user-agent'];
      case 'aws:referer':
        return headers.referer;
      case 'aws:currenttime':
        return new Date(facts.now).toISOString();
      case 'aws:epochtime':
        return Math.floor(facts.now / 1000).toString();
      case 'aws:principaltype':
        return requester.kind === 'anonymous' ? 'Anonymous' : principalType(caller);
      case 'aws:principalarn':
        return requester.kind === 'user' ? requester.arn : undefined;
      case 'aws:principalaccount':
        return requester.kind === 'user' ? requester.account : undefined;
      case 'aws:username':
        return caller.kind === 'principal' ? caller.user?.name : undefined;
      case 'aws:userid':
        if (caller.kind === 'anonymous') return 'anonymous';
        return caller.user?.id ?? caller.principal;
      default:
        return undefined;
    }
  }
}

/** Such as `1.3`. */
function tlsVersion({ connection }: RequestFacts): string | undefined {
  const protocol = connection instanceof TLSSocket ? connection.getProtocol() : null;
  return protocol?.replace(/^TLSv/, '');
}

/** What a write says of retention and legal hold, in its headers or in its body. Begun days count as days. */
function lockAnswer(key: string, { lock }: Check, { headers, now }: RequestFacts): string | undefined {
  const header = (name: string) => headers[`x-amz-object-lock-${name}`]?.toString();
  const given = lock === undefined ? header('retain-until-date') : undefined;
  const until = given === undefined ? lock?.retention?.until : Date.parse(given);
  switch (key) {
    case 's3:object-lock-mode':
      return lock === undefined ? header('mode') : lock.retention?.mode;
    case 's3:object-lock-legal-hold':
      if (lock === undefined) return header('legal-hold');
      return lock.legalHold === undefined ? undefined : lock.legalHold ? 'ON' : 'OFF';
    case 's3:object-lock-retain-until-date':
      return until === undefined || Number.isNaN(until) ? undefined : new Date(until).toISOString();
    case 's3:object-lock-remaining-retention-days':
      return until === undefined || Number.isNaN(until) ? undefined : Math.ceil((until - now) / DAY).toString();
    default:
      return undefined;
  }
}

function principalType(caller: Caller): string {
  return caller.kind === 'principal' && caller.user === undefined ? 'Account' : 'User';
}

/** Policies name a source as `/bucket/key` or `bucket/key`; clients encode it. Compared decoded and without the slash. */
function copySource(value: string | undefined): string | readonly string[] | undefined {
  if (value === undefined) return undefined;
  const path = value.replace(/\?versionId=[^?]*$/, '');
  const decoded = (percentDecode(path, 'literal') ?? path).replace(/^\//, '');
  return [decoded, `/${decoded}`];
}

function requestTags(check: Check, { headers }: RequestFacts): Tags | undefined {
  if (check.tags !== undefined) return check.tags;
  const header = headers['x-amz-tagging'];
  return header === undefined ? undefined : parseTagHeader(textOfHeader(String(header)));
}

function tagValue(tags: Tags | undefined, name: string): string | undefined {
  return tags?.find(([key]) => key === name)?.[1];
}
