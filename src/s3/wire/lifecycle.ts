import { randomBytes } from 'node:crypto';
import type { LifecycleRule, LifecycleRules } from '../../store/lifecycle/rules.ts';
import { invalidArgument, notImplemented, S3Error } from '../errors.ts';
import { isoDate } from './dates.ts';
import { fields, malformed, textOf, type XmlElement } from './xml-in.ts';
import { element } from './xml-out.ts';

const DAY = 86_400_000;
const MAX_RULES = 1000;
const MAX_ID = 255;
const MAX_NEWER = 100;

type Filter = LifecycleRule['filter'];

const RULE = [
  'ID',
  'Prefix',
  'Status',
  'Filter',
  'Expiration',
  'NoncurrentVersionExpiration',
  'AbortIncompleteMultipartUpload',
] as const;
const TRANSITIONS = ['Transition', 'NoncurrentVersionTransition'];

/**
 * The body of PutBucketLifecycleConfiguration (User Guide, "Lifecycle configuration elements"). More lenient than S3 in one
 * thing: a Filter with several conditions outside an And means all of them, as other servers take it.
 * @throws S3Error `MalformedXML`, `InvalidArgument`, `InvalidRequest`, `NotImplemented` for transitions
 */
export function parseLifecycle(root: XmlElement | undefined): LifecycleRules {
  if (root?.name !== 'LifecycleConfiguration') throw malformed();
  if (root.children.length === 0 || root.children.length > MAX_RULES) throw malformed();
  const rules = root.children.map(parseRule);
  if (new Set(rules.map(({ id }) => id)).size < rules.length) {
    throw new S3Error('InvalidArgument', 'Rule ID must be unique. Found same ID for more than one rule');
  }
  return rules;
}

function parseRule(element: XmlElement): LifecycleRule {
  if (element.name !== 'Rule') throw malformed();
  const transitions = element.children.filter(({ name }) => TRANSITIONS.includes(name));
  const rest = { ...element, children: element.children.filter(({ name }) => !TRANSITIONS.includes(name)) };
  const { ID, Prefix, Status, Filter, Expiration, ...actions } = fields(rest, RULE);
  const status = textOf(Status);
  if (status !== 'Enabled' && status !== 'Disabled') throw malformed();
  if ((Prefix === undefined) === (Filter === undefined)) throw malformed();
  const filtered = Filter === undefined ? undefined : parseFilter(Filter);
  const rule: LifecycleRule = {
    id: parseId(ID),
    enabled: status === 'Enabled',
    form: filtered?.form ?? 'prefix',
    filter: filtered?.filter ?? { prefix: textOf(Prefix) },
    ...(Expiration !== undefined && { expiration: parseExpiration(Expiration) }),
    ...parseActions(actions),
  };
  for (const transition of transitions) refuseTransition(transition);
  checkActions(rule);
  return rule;
}

function parseId(element: XmlElement | undefined): string {
  const id = element === undefined ? '' : textOf(element);
  if (id.length > MAX_ID) {
    throw invalidArgument('ID', id, 'ID length should not exceed allowed limit of 255');
  }
  return id === '' ? randomBytes(18).toString('base64url') : id;
}

function parseActions(actions: {
  readonly NoncurrentVersionExpiration?: XmlElement;
  readonly AbortIncompleteMultipartUpload?: XmlElement;
}): Pick<LifecycleRule, 'noncurrentExpiration' | 'abortUploadAfter'> {
  const { NoncurrentVersionExpiration: noncurrent, AbortIncompleteMultipartUpload: abort } = actions;
  const result: { -readonly [K in keyof ReturnType<typeof parseActions>]: ReturnType<typeof parseActions>[K] } = {};
  if (noncurrent !== undefined) {
    const { NoncurrentDays, NewerNoncurrentVersions } = fields(noncurrent, [
      'NoncurrentDays',
      'NewerNoncurrentVersions',
    ]);
    const days = positive('NoncurrentDays', NoncurrentDays);
    if (NewerNoncurrentVersions === undefined) result.noncurrentExpiration = { days };
    else {
      const newerVersions = positive('NewerNoncurrentVersions', NewerNoncurrentVersions);
      if (newerVersions > MAX_NEWER) {
        const message = "'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be at most 100";
        throw invalidArgument('NewerNoncurrentVersions', newerVersions.toString(), message);
      }
      result.noncurrentExpiration = { days, newerVersions };
    }
  }
  if (abort !== undefined) {
    result.abortUploadAfter = positive(
      'DaysAfterInitiation',
      fields(abort, ['DaysAfterInitiation']).DaysAfterInitiation,
    );
  }
  return result;
}

function parseExpiration(element: XmlElement): NonNullable<LifecycleRule['expiration']> {
  const {
    Days,
    Date: date,
    ExpiredObjectDeleteMarker,
  } = fields(element, ['Days', 'Date', 'ExpiredObjectDeleteMarker']);
  if ([Days, date, ExpiredObjectDeleteMarker].filter((one) => one !== undefined).length !== 1) throw malformed();
  if (Days !== undefined) return { days: positive('Days', Days) };
  if (date !== undefined) return { date: midnight(date) };
  const text = textOf(ExpiredObjectDeleteMarker).trim();
  if (text !== 'true' && text !== 'false') throw malformed();
  return { expiredObjectDeleteMarker: text === 'true' };
}

function parseFilter(element: XmlElement): { readonly form: 'filter' | 'and'; readonly filter: Filter } {
  const and = element.children.filter(({ name }) => name === 'And');
  const others = element.children.filter(({ name }) => name !== 'And');
  if (and.length > 1) throw malformed();
  const members = and[0] === undefined ? others : [...others, ...and[0].children];
  if (and[0]?.children.length === 0) throw malformed();
  const filter: { -readonly [K in keyof Filter]: Filter[K] } = {};
  const tags: [string, string][] = [];
  for (const member of members) {
    switch (member.name) {
      case 'Prefix': {
        const prefix = textOf(member);
        const before = filter.prefix ?? '';
        // Of two, the longer one where it says more.
        if (!prefix.startsWith(before) && !before.startsWith(prefix)) throw malformed();
        filter.prefix = prefix.length >= before.length ? prefix : before;
        break;
      }
      case 'Tag': {
        const { Key, Value } = fields(member, ['Key', 'Value']);
        tags.push([textOf(Key), textOf(Value)]);
        break;
      }
      case 'ObjectSizeGreaterThan':
        filter.sizeGreaterThan = size(member);
        break;
      case 'ObjectSizeLessThan':
        filter.sizeLessThan = size(member);
        break;
      default:
        throw malformed();
    }
  }
  if (new Set(tags.map(([key]) => key)).size < tags.length) {
    throw new S3Error('InvalidRequest', 'Duplicate Tag Keys are not allowed.');
  }
  if (tags.length > 0) filter.tags = tags;
  if (filter.sizeLessThan !== undefined && filter.sizeLessThan <= (filter.sizeGreaterThan ?? -1)) {
    throw new S3Error('InvalidRequest', "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.");
  }
  return { form: and[0] === undefined ? 'filter' : 'and', filter };
}

/** What S3 does not let stand together, or alone. */
function checkActions({ expiration, noncurrentExpiration, abortUploadAfter, filter }: LifecycleRule): void {
  if (expiration === undefined && noncurrentExpiration === undefined && abortUploadAfter === undefined) {
    throw new S3Error('InvalidRequest', 'At least one action needs to be specified in a rule.');
  }
  const tagged = filter.tags !== undefined;
  const sized = filter.sizeGreaterThan !== undefined || filter.sizeLessThan !== undefined;
  const marker = expiration !== undefined && 'expiredObjectDeleteMarker' in expiration;
  if (marker && tagged) {
    throw new S3Error('InvalidRequest', 'ExpiredObjectDeleteMarker cannot be specified with Tags.');
  }
  if (abortUploadAfter !== undefined && (tagged || sized)) {
    const what = tagged ? 'Tags' : 'Object Size';
    throw new S3Error('InvalidRequest', `AbortIncompleteMultipartUpload cannot be specified with ${what}.`);
  }
}

/** There is one place for objects here, so there is nowhere to move them to. What is malformed is told first. */
function refuseTransition(element: XmlElement): never {
  const date = element.children.find(({ name }) => name === 'Date');
  if (date !== undefined) midnight(date);
  throw notImplemented(`${element.name}: this server has one storage class`);
}

function positive(name: string, element: XmlElement | undefined): number {
  const text = textOf(element).trim();
  if (!/^-?\d{1,10}$/.test(text)) throw malformed();
  const value = Number(text);
  if (value < 1 || value > 2_147_483_647) {
    throw invalidArgument(name, text, `'${name}' for the action must be a positive integer`);
  }
  return value;
}

function size(element: XmlElement): number {
  const text = textOf(element).trim();
  if (!/^\d{1,15}$/.test(text)) throw malformed();
  return Number(text);
}

const ISO_DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

function midnight(element: XmlElement): number {
  const text = textOf(element).trim();
  if (!ISO_DATE.test(text)) throw malformed();
  const zoned = /T.*(?:Z|[+-]\d{2}:?\d{2})$/.test(text) || !text.includes('T') ? text : `${text}Z`;
  const time = Date.parse(zoned);
  if (Number.isNaN(time)) throw malformed();
  if (time % DAY !== 0) throw invalidArgument('Date', text, "'Date' must be at midnight GMT");
  return time;
}

/** The content of the answer to GetBucketLifecycleConfiguration. */
export function lifecycleXml(rules: LifecycleRules): string {
  return rules.map((rule) => `<Rule>${ruleXml(rule)}</Rule>`).join('');
}

function ruleXml(rule: LifecycleRule): string {
  const { expiration, noncurrentExpiration: noncurrent, abortUploadAfter } = rule;
  let xml = element('ID', rule.id) + filterXml(rule) + element('Status', rule.enabled ? 'Enabled' : 'Disabled');
  if (expiration !== undefined) {
    let content: string;
    if ('days' in expiration) content = element('Days', expiration.days.toString());
    else if ('date' in expiration) content = element('Date', isoDate(expiration.date));
    else content = element('ExpiredObjectDeleteMarker', expiration.expiredObjectDeleteMarker.toString());
    xml += `<Expiration>${content}</Expiration>`;
  }
  if (noncurrent !== undefined) {
    const newer = noncurrent.newerVersions;
    const kept = newer === undefined ? '' : element('NewerNoncurrentVersions', newer.toString());
    xml += `<NoncurrentVersionExpiration>${element('NoncurrentDays', noncurrent.days.toString())}${kept}</NoncurrentVersionExpiration>`;
  }
  if (abortUploadAfter !== undefined) {
    xml += `<AbortIncompleteMultipartUpload>${element('DaysAfterInitiation', abortUploadAfter.toString())}</AbortIncompleteMultipartUpload>`;
  }
  return xml;
}

function filterXml({ form, filter }: LifecycleRule): string {
  const { prefix, tags = [], sizeGreaterThan, sizeLessThan } = filter;
  if (form === 'prefix') return element('Prefix', prefix ?? '');
  let content = prefix === undefined ? '' : element('Prefix', prefix);
  for (const [key, value] of tags) content += `<Tag>${element('Key', key)}${element('Value', value)}</Tag>`;
  if (sizeGreaterThan !== undefined) content += element('ObjectSizeGreaterThan', sizeGreaterThan.toString());
  if (sizeLessThan !== undefined) content += element('ObjectSizeLessThan', sizeLessThan.toString());
  return `<Filter>${form === 'and' ? `<And>${content}</And>` : content}</Filter>`;
}
