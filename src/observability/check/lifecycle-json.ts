import { UsageError } from '../../core/errors.ts';
import { firstTextAt, listAt, textAt } from './configuration.ts';
import type { LifecycleRule } from './lifecycle.ts';

/**
 * Reads what `aws s3api get-bucket-lifecycle-configuration` prints. The prefix stands in one of three places; Ceph
 * answers an empty one beside the true one.
 * @throws UsageError when the text is no such document
 */
export function parseLifecycleJson(subject: string, text: string): LifecycleRule[] {
  const rules = listAt(parsed(subject, text), 'Rules');
  if (rules === undefined) {
    throw new UsageError(`${subject} holds no lifecycle rules`, {
      subject,
      advice: 'make it with `aws s3api get-bucket-lifecycle-configuration --bucket BUCKET`',
    });
  }
  return rules.map((rule, index) => ({
    id: textAt(rule, 'ID') ?? `number ${index + 1}`,
    enabled: textAt(rule, 'Status') === 'Enabled',
    prefix: firstTextAt(rule, 'Filter.Prefix', 'Filter.And.Prefix', 'Prefix') ?? '',
    expirationDays: numberAt(rule, 'Expiration.Days'),
    abortUploadsDays: numberAt(rule, 'AbortIncompleteMultipartUpload.DaysAfterInitiation'),
  }));
}

function parsed(subject: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${subject} is no JSON`, { subject, cause });
  }
}

function numberAt(value: unknown, path: string): number | undefined {
  const text = textAt(value, path);
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
