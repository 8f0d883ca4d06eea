import type {
  BucketConfiguration,
  CorsRule,
  Encryption,
  Json,
  LifecycleRule,
  ObjectLock,
  PolicyDocument,
  PublicAccessBlock,
  Tags,
  Versioning,
} from '../../bucket/index.ts';
import { canonicalCors, compact, sortedTags } from '../../bucket/index.ts';
import type { Feature, ProviderProfile } from '../../providers/index.ts';
import { readLifecycle, tagElements, writeLifecycle } from './lifecycle.ts';
import { childOf, childrenOf, numberOf, readXml, tag, textOf, wrap, type XmlNode, xmlRequest } from './xml.ts';

/** One thing that can be configured of a bucket: how S3 spells it. A value, so that one funnel serves them all. */
export interface Aspect<T> {
  /** The query word: `GET /bucket?lifecycle`. */
  readonly subresource: string;
  /** What the profile must not deny before anything is sent. */
  readonly feature: Feature;
  /** What S3's documentation calls the right to read it and to write it. */
  readonly permissions: readonly [read: string, write: string];
  /** S3 codes that say: there is none. */
  readonly missing: readonly string[];
  /** Undefined: the answer is not this aspect's, whatever its status. */
  read(body: string): { readonly value: T | undefined } | undefined;
  /** The request's body. */
  write(value: T, profile: ProviderProfile): string;
  /** Whether DELETE removes it; versioning and object lock cannot be removed. */
  readonly removable: boolean;
  /** The answer may break its connection: it gets one of its own. */
  readonly breaksConnection?: boolean;
}

/** An answer counts only if its root element is right: some gateways answer unknown subresources with a listing. */
function rooted<T>(names: string | readonly string[], read: (root: XmlNode) => T | undefined) {
  return (body: string): { readonly value: T | undefined } | undefined => {
    const root = readXml(body);
    return root !== undefined && [names].flat().includes(root.name) ? { value: read(root) } : undefined;
  };
}

const versioning: Aspect<Versioning> = {
  subresource: 'versioning',
  feature: 'versioning',
  permissions: ['s3:GetBucketVersioning', 's3:PutBucketVersioning'],
  missing: [],
  read: rooted('VersioningConfiguration', (root): Versioning => {
    const status = textOf(root, 'Status')?.toLowerCase();
    return status === 'enabled' || status === 'suspended' ? status : 'off';
  }),
  write: (value) => xmlRequest('VersioningConfiguration', tag('Status', value === 'enabled' ? 'Enabled' : 'Suspended')),
  removable: false,
};

const lifecycle: Aspect<readonly LifecycleRule[]> = {
  subresource: 'lifecycle',
  feature: 'lifecycle',
  permissions: ['s3:GetLifecycleConfiguration', 's3:PutLifecycleConfiguration'],
  missing: ['NoSuchLifecycleConfiguration'],
  read: rooted('LifecycleConfiguration', (root) => {
    const rules = readLifecycle(root);
    return rules.length === 0 ? undefined : rules;
  }),
  write: (rules, { lifecyclePrefix }) => xmlRequest('LifecycleConfiguration', writeLifecycle(rules, lifecyclePrefix)),
  removable: true,
};

const cors: Aspect<readonly CorsRule[]> = {
  subresource: 'cors',
  feature: 'cors',
  permissions: ['s3:GetBucketCORS', 's3:PutBucketCORS'],
  missing: ['NoSuchCORSConfiguration'],
  read: rooted('CORSConfiguration', (root) => {
    const texts = (rule: XmlNode, name: string) => childrenOf(rule, name).map(({ text }) => text.trim());
    const rules = childrenOf(root, 'CORSRule').map((rule) =>
      compact({
        id: textOf(rule, 'ID') || undefined,
        origins: texts(rule, 'AllowedOrigin'),
        methods: texts(rule, 'AllowedMethod'),
        headers: texts(rule, 'AllowedHeader'),
        exposeHeaders: texts(rule, 'ExposeHeader'),
        maxAgeSeconds: numberOf(rule, 'MaxAgeSeconds'),
      }),
    );
    return rules.length === 0 ? undefined : canonicalCors(rules);
  }),
  write: (rules) => {
    const each = (name: string, list: readonly string[]) => list.map((text) => tag(name, text)).join('');
    const content = rules.map(({ id, origins, methods, headers, exposeHeaders, maxAgeSeconds }) =>
      wrap(
        'CORSRule',
        tag('ID', id) +
          each('AllowedOrigin', origins) +
          each('AllowedMethod', methods) +
          each('AllowedHeader', headers) +
          tag('MaxAgeSeconds', maxAgeSeconds) +
          each('ExposeHeader', exposeHeaders),
      ),
    );
    return xmlRequest('CORSConfiguration', content.join(''));
  },
  removable: true,
};

const objectLock: Aspect<ObjectLock> = {
  subresource: 'object-lock',
  feature: 'object-lock',
  permissions: ['s3:GetBucketObjectLockConfiguration', 's3:PutBucketObjectLockConfiguration'],
  missing: ['ObjectLockConfigurationNotFoundError', 'NoSuchObjectLockConfiguration'],
  read: rooted('ObjectLockConfiguration', (root) => {
    const rule = childOf(childOf(root, 'Rule'), 'DefaultRetention');
    const mode: 'governance' | 'compliance' =
      textOf(rule, 'Mode')?.toLowerCase() === 'compliance' ? 'compliance' : 'governance';
    // Ceph answers the unit that was not used as 0.
    const [days, years] = [numberOf(rule, 'Days') || undefined, numberOf(rule, 'Years') || undefined];
    return compact({
      enabled: textOf(root, 'ObjectLockEnabled')?.toLowerCase() === 'enabled',
      retention: days === undefined && years === undefined ? undefined : compact({ mode, days, years }),
    });
  }),
  write: ({ retention }) =>
    xmlRequest(
      'ObjectLockConfiguration',
      tag('ObjectLockEnabled', 'Enabled') +
        (retention === undefined
          ? ''
          : wrap(
              'Rule',
              wrap(
                'DefaultRetention',
                tag('Mode', retention.mode.toUpperCase()) + tag('Days', retention.days) + tag('Years', retention.years),
              ),
            )),
    ),
  removable: false,
};

const tags: Aspect<Tags> = {
  subresource: 'tagging',
  feature: 'bucket-tagging',
  permissions: ['s3:GetBucketTagging', 's3:PutBucketTagging'],
  missing: ['NoSuchTagSet', 'NoSuchTagSetError'],
  read: rooted('Tagging', (root) => {
    const found = childrenOf(childOf(root, 'TagSet') ?? root, 'Tag').map(
      (node) => [childOf(node, 'Key')?.text ?? '', childOf(node, 'Value')?.text ?? ''] as const,
    );
    return found.length === 0 ? undefined : sortedTags(Object.fromEntries(found));
  }),
  write: (value) => xmlRequest('Tagging', wrap('TagSet', tagElements(value))),
  removable: true,
};

const encryption: Aspect<Encryption> = {
  subresource: 'encryption',
  feature: 'bucket-encryption',
  permissions: ['s3:GetEncryptionConfiguration', 's3:PutEncryptionConfiguration'],
  missing: ['ServerSideEncryptionConfigurationNotFoundError', 'NoSuchServerSideEncryptionConfiguration'],
  read: rooted('ServerSideEncryptionConfiguration', (root): Encryption | undefined => {
    const rule = childOf(childOf(root, 'Rule'), 'ApplyServerSideEncryptionByDefault');
    const algorithm = textOf(rule, 'SSEAlgorithm');
    if (algorithm === undefined) return undefined;
    const keyId = textOf(rule, 'KMSMasterKeyID') || undefined;
    return compact<Encryption>({ algorithm: algorithm === 'AES256' ? 'AES256' : 'aws:kms', keyId });
  }),
  write: ({ algorithm, keyId }) =>
    xmlRequest(
      'ServerSideEncryptionConfiguration',
      wrap(
        'Rule',
        wrap('ApplyServerSideEncryptionByDefault', tag('SSEAlgorithm', algorithm) + tag('KMSMasterKeyID', keyId)),
      ),
    ),
  removable: true,
};

const switches = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'] as const;

const publicAccessBlock: Aspect<PublicAccessBlock> = {
  subresource: 'publicAccessBlock',
  feature: 'public-access-block',
  permissions: ['s3:GetBucketPublicAccessBlock', 's3:PutBucketPublicAccessBlock'],
  missing: ['NoSuchPublicAccessBlockConfiguration'],
  // Ceph 16 has its own name for the answer.
  read: rooted(['PublicAccessBlockConfiguration', 'BlockPublicAccessBlockConfiguration'], (root) => {
    const [a, b, c, d] = switches.map((name) => textOf(root, name)?.toLowerCase() === 'true');
    // Ceph 16 answers four times false where nothing was set; it means the same.
    if (a !== true && b !== true && c !== true && d !== true) return undefined;
    return {
      blockPublicAcls: a === true,
      ignorePublicAcls: b === true,
      blockPublicPolicy: c === true,
      restrictPublicBuckets: d === true,
    };
  }),
  write: (value) =>
    xmlRequest(
      'PublicAccessBlockConfiguration',
      tag('BlockPublicAcls', value.blockPublicAcls) +
        tag('IgnorePublicAcls', value.ignorePublicAcls) +
        tag('BlockPublicPolicy', value.blockPublicPolicy) +
        tag('RestrictPublicBuckets', value.restrictPublicBuckets),
    ),
  removable: true,
  breaksConnection: true,
};

const policy: Aspect<PolicyDocument> = {
  subresource: 'policy',
  feature: 'bucket-policy',
  permissions: ['s3:GetBucketPolicy', 's3:PutBucketPolicy'],
  missing: ['NoSuchBucketPolicy'],
  read: (body) => {
    const document = parsePolicy(body);
    return document === undefined ? undefined : { value: document };
  },
  write: (document) => JSON.stringify(document),
  removable: true,
};

/** JSON with statements is a policy; anything else is not. */
function parsePolicy(body: string): PolicyDocument | undefined {
  try {
    const parsed: Json = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null && 'Statement' in parsed ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** By attribute of `BucketConfiguration`. */
export const aspects: { readonly [A in keyof BucketConfiguration]: Aspect<BucketConfiguration[A]> } = {
  versioning,
  lifecycle,
  policy,
  cors,
  objectLock,
  tags,
  encryption,
  publicAccessBlock,
};
