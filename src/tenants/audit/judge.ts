import { codeOf, type RawAnswer, readXml, type XmlNode } from '../../client/index.ts';
import type { Attack, AttackContext, Judgement } from './model.ts';

/** Refusals for lack of rights, whatever the status says. */
const REFUSED: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AllAccessDisabled',
  // Another account's names may be hidden as if they were not there.
  'NoSuchBucket',
]);

/** Refusals of the signature, or because there is none: who asks was not known, so that no right was looked at. */
const UNREAD: ReadonlySet<string> = new Set([
  'SignatureDoesNotMatch',
  'InvalidAccessKeyId',
  'RequestTimeTooSkewed',
  // MinIO, of a form without one.
  'AuthorizationQueryParametersError',
]);

/** Refusals of what is written, not of who asks: the rights were not looked at, or were there. */
const UNSUPPORTED: ReadonlySet<number> = new Set([405, 501]);

/**
 * What an answer to an attack means. A status alone proves little: a deletion of many answers 200 with a refusal for
 * each, a copy answers 200 with an error inside, and 404, 409 or 412 tell that the attacker was let through.
 */
export function judge(attack: Attack, context: AttackContext, answer: RawAnswer): Judgement {
  const { status, body } = answer;
  const code = codeOf(body) ?? '';
  const found = `${status}${code === '' ? '' : ` ${code}`}`;
  const stolen = traceOf(context, answer) ?? attack.leaks?.(answer, context);
  if (stolen !== undefined) return { verdict: 'leak', found: `${found}: the answer holds ${stolen}` };
  if (status >= 200 && status < 300) return ofSuccess(attack, context, answer, found);
  if (UNREAD.has(code)) {
    return attack.disguised === true
      ? { verdict: 'denied', found }
      : { verdict: 'unclear', found: `${found}: the signature was refused, so that no right was looked at` };
  }
  const first = attack.refusedFirst;
  if (first?.code === code && first.provider === context.connection.provider.name) {
    return { verdict: 'unsupported', found: `${found}: nobody can do it here` };
  }
  if (status === 401 || status === 403 || REFUSED.has(code)) return { verdict: 'denied', found };
  // What an attack on own names does in secret, the bait tells at the end.
  if (attack.expect === 'nothing' && status !== 429) return { verdict: 'nothing', found };
  if (UNSUPPORTED.has(status)) return { verdict: 'unsupported', found };
  if (status >= 500 || status === 429) return { verdict: 'unclear', found };
  if (status === 400) return { verdict: 'unclear', found };
  if (status === 404 && attack.oracle === true) {
    return { verdict: 'visible', found: `${found}: whether a key is there is shown, not what it holds` };
  }
  return { verdict: 'leak', found: `${found}: refused for another reason than rights, so it was let through` };
}

function ofSuccess(attack: Attack, context: AttackContext, { body }: RawAnswer, found: string): Judgement {
  const root = readXml(body);
  const codes = errorCodes(root);
  // What an attack deletes of its own beside the victim's is no harm.
  const deleted = attack.leaks === undefined && root?.children.some(({ name }) => name === 'Deleted') === true;
  if (codes.length > 0 && !deleted && codes.every((code) => REFUSED.has(code))) {
    return { verdict: 'denied', found: `${found}, inside ${codes[0]}` };
  }
  if (attack.expect === 'nothing' && !deleted) return { verdict: 'nothing', found };
  // Also where a server takes the bucket's host name for its own.
  if (attack.operation === 'ListBuckets' || root?.name === 'ListAllMyBucketsResult') {
    const named = namesBucket(root, context.victim.bucket);
    return named
      ? { verdict: 'visible', found: `${found}: the bucket's name is shown, not what is in it` }
      : { verdict: 'nothing', found };
  }
  return { verdict: 'leak', found: `${found}: it was done (${root === undefined ? 'an empty answer' : root.name})` };
}

/** The error document itself, or those within a DeleteResult. */
function errorCodes(root: XmlNode | undefined): readonly string[] {
  if (root === undefined) return [];
  const errors = root.name === 'Error' ? [root] : root.children.filter(({ name }) => name === 'Error');
  return errors.map((error) => error.children.find(({ name }) => name === 'Code')?.text ?? 'Unknown');
}

function namesBucket(root: XmlNode | undefined, bucket: string): boolean {
  const buckets = root?.children.find(({ name }) => name === 'Buckets')?.children ?? [];
  return buckets.some(({ children }) => children.some(({ name, text }) => name === 'Name' && text === bucket));
}

/** What of the victim's an answer shows. An error may repeat the key that it was asked about; that is no secret. */
function traceOf({ victim }: AttackContext, { status, headers, body }: RawAnswer): string | undefined {
  const all = `${body}\n${Object.values(headers).join('\n')}`;
  if (all.includes(victim.marker)) return "the victim's bytes";
  if (status >= 300) return undefined;
  const root = readXml(body);
  const listed = root?.name.startsWith('List') === true && root.name !== 'ListAllMyBucketsResult';
  if (!listed) return undefined;
  if (textsOf(root).some((text) => text.includes(victim.key) || decoded(text).includes(victim.folder)))
    return "the victim's keys";
  return textsOf(root).includes(victim.uploadId) ? "the victim's upload id" : undefined;
}

/** Texts of a listing that are not the request's own words. */
function textsOf(node: XmlNode): readonly string[] {
  const echoed = [
    'Prefix',
    'Marker',
    'KeyMarker',
    'StartAfter',
    'Delimiter',
    'Bucket',
    'Name',
    'UploadIdMarker',
    'ContinuationToken',
  ];
  return node.children.flatMap((child) =>
    child.children.length === 0 ? (echoed.includes(child.name) ? [] : [child.text]) : allTexts(child),
  );
}

function allTexts({ text, children }: XmlNode): readonly string[] {
  return children.length === 0 ? [text] : children.flatMap(allTexts);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
