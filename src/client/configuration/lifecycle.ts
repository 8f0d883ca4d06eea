import { canonicalLifecycle, compact, type LifecycleRule, type Tags, type Transition } from '../../bucket/index.ts';
import { childOf, childrenOf, numberOf, tag, textOf, wrap, type XmlNode } from './xml.ts';

const knownInRule = new Set([
  'ID',
  'Status',
  'Prefix',
  'Filter',
  'Expiration',
  'NoncurrentVersionExpiration',
  'AbortIncompleteMultipartUpload',
  'Transition',
  'NoncurrentVersionTransition',
]);
const knownInFilter = new Set(['Prefix', 'Tag', 'And', 'ObjectSizeGreaterThan', 'ObjectSizeLessThan']);
const knownInExpiration = new Set(['Days', 'Date', 'ExpiredObjectDeleteMarker']);

/** Reads a LifecycleConfiguration. Ceph answers an empty rule-level Prefix beside the true one in Filter. */
export function readLifecycle(root: XmlNode): readonly LifecycleRule[] {
  return canonicalLifecycle(childrenOf(root, 'Rule').map(readRule));
}

function readRule(rule: XmlNode, index: number): LifecycleRule {
  const filter = childOf(rule, 'Filter');
  const and = childOf(filter, 'And');
  const expiration = childOf(rule, 'Expiration');
  const noncurrent = childOf(rule, 'NoncurrentVersionExpiration');
  const inFilter = textOf(and, 'Prefix') ?? prefixOf(and) ?? prefixOf(filter);
  const tags: Record<string, string> = {};
  for (const node of [...childrenOf(filter ?? none, 'Tag'), ...childrenOf(and ?? none, 'Tag')]) {
    tags[childOf(node, 'Key')?.text ?? ''] = childOf(node, 'Value')?.text ?? '';
  }
  const unknown = [
    ...rule.children.filter(({ name }) => !knownInRule.has(name)),
    ...[filter, and].flatMap((node) => node?.children.filter(({ name }) => !knownInFilter.has(name)) ?? []),
    ...(expiration?.children.filter(({ name }) => !knownInExpiration.has(name)) ?? []),
  ].map(({ name }) => name);
  const marker = textOf(expiration, 'ExpiredObjectDeleteMarker')?.toLowerCase();
  return compact({
    id: textOf(rule, 'ID') || `rule-${index + 1}`,
    enabled: textOf(rule, 'Status')?.toLowerCase() === 'enabled',
    prefix: inFilter ?? childOf(rule, 'Prefix')?.text ?? '',
    tags,
    largerThan: numberOf(and, 'ObjectSizeGreaterThan') ?? numberOf(filter, 'ObjectSizeGreaterThan'),
    smallerThan: numberOf(and, 'ObjectSizeLessThan') ?? numberOf(filter, 'ObjectSizeLessThan'),
    expireDays: numberOf(expiration, 'Days'),
    expireOn: textOf(expiration, 'Date')?.slice(0, 10),
    expireDeleteMarkers: marker === 'true' ? true : undefined,
    noncurrentDays: numberOf(noncurrent, 'NoncurrentDays'),
    noncurrentKeep: numberOf(noncurrent, 'NewerNoncurrentVersions') || undefined,
    abortUploadsDays: numberOf(childOf(rule, 'AbortIncompleteMultipartUpload'), 'DaysAfterInitiation'),
    transitions: childrenOf(rule, 'Transition').map((node) => readTransition(node, 'Days')),
    noncurrentTransitions: childrenOf(rule, 'NoncurrentVersionTransition').map((node) =>
      readTransition(node, 'NoncurrentDays'),
    ),
    unknown,
  });
}

const none: XmlNode = { name: '', text: '', children: [] };

/** Spaces count in a prefix, so it is not trimmed. */
const prefixOf = (node: XmlNode | undefined): string | undefined => childOf(node, 'Prefix')?.text;

function readTransition(node: XmlNode, days: 'Days' | 'NoncurrentDays'): Transition {
  return compact({
    days: numberOf(node, days),
    on: textOf(node, 'Date')?.slice(0, 10),
    storageClass: textOf(node, 'StorageClass') ?? '',
    keep: numberOf(node, 'NewerNoncurrentVersions'),
  });
}

/**
 * Writes the rules' elements.
 * @param spelling where a lone prefix stands. Exactly one of Filter and Prefix is written, and never an empty Filter:
 * RADOS Gateways drop the Prefix beside a Filter, and the rule hits the whole bucket
 */
export function writeLifecycle(rules: readonly LifecycleRule[], spelling: 'rule' | 'filter'): string {
  return rules.map((rule) => wrap('Rule', ruleContent(rule, spelling))).join('');
}

function ruleContent(rule: LifecycleRule, spelling: 'rule' | 'filter'): string {
  return [
    tag('ID', rule.id),
    scope(rule, spelling),
    tag('Status', rule.enabled ? 'Enabled' : 'Disabled'),
    wrap(
      'Expiration',
      tag('Days', rule.expireDays) +
        tag('Date', midnight(rule.expireOn)) +
        tag('ExpiredObjectDeleteMarker', rule.expireDeleteMarkers === true ? true : undefined),
    ),
    wrap(
      'NoncurrentVersionExpiration',
      tag('NoncurrentDays', rule.noncurrentDays) + tag('NewerNoncurrentVersions', rule.noncurrentKeep),
    ),
    wrap('AbortIncompleteMultipartUpload', tag('DaysAfterInitiation', rule.abortUploadsDays)),
    ...(rule.transitions ?? []).map(({ days, on, storageClass }) =>
      wrap('Transition', tag('Days', days) + tag('Date', midnight(on)) + tag('StorageClass', storageClass)),
    ),
    ...(rule.noncurrentTransitions ?? []).map(({ days, storageClass, keep }) =>
      wrap(
        'NoncurrentVersionTransition',
        tag('NoncurrentDays', days) + tag('NewerNoncurrentVersions', keep) + tag('StorageClass', storageClass),
      ),
    ),
  ].join('');
}

const midnight = (day: string | undefined): string | undefined =>
  day === undefined ? undefined : `${day}T00:00:00.000Z`;

function scope(rule: LifecycleRule, spelling: 'rule' | 'filter'): string {
  const { prefix, largerThan, smallerThan } = rule;
  const tags = tagElements(rule.tags);
  const sizes = tag('ObjectSizeGreaterThan', largerThan) + tag('ObjectSizeLessThan', smallerThan);
  const conditions =
    Object.keys(rule.tags).length + [largerThan, smallerThan].filter((size) => size !== undefined).length;
  if (conditions === 0) return spelling === 'rule' ? tag('Prefix', prefix) : wrap('Filter', tag('Prefix', prefix));
  if (conditions === 1 && prefix === '') return wrap('Filter', tags + sizes);
  return wrap('Filter', wrap('And', (prefix === '' ? '' : tag('Prefix', prefix)) + tags + sizes));
}

export function tagElements(tags: Tags): string {
  return Object.entries(tags)
    .map(([key, value]) => wrap('Tag', tag('Key', key) + tag('Value', value)))
    .join('');
}
