import { ClientError } from '../../client/errors.ts';
import type { BucketClient } from '../../client/index.ts';
import type { Finding } from '../../core/finding.ts';
import { checkLifecycle, type LifecycleCheck } from './lifecycle.ts';

/**
 * Reads the lifecycle rules of a program's bucket as they are, and judges them. What cannot be read is said, and no more:
 * the files are checked all the same.
 */
export async function checkLiveLifecycle(
  client: Pick<BucketClient, 'read'>,
  about: Omit<LifecycleCheck, 'rules'>,
): Promise<readonly Finding[]> {
  try {
    const rules = (await client.read(about.bucket, 'lifecycle')) ?? [];
    return checkLifecycle({
      ...about,
      rules: rules.map(({ id, enabled, prefix, expireDays, expireOn, abortUploadsDays }) => ({
        id,
        enabled,
        prefix,
        expirationDays: expireDays,
        expirationDate: expireOn,
        abortUploadsDays,
      })),
    });
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const subject = `bucket ${about.bucket}`;
    if (error.code === 'no-such-bucket') {
      const why = `${about.program} does not start, or every flush fails`;
      const advice = 'create it with `bucketwright provision`, or correct the settings';
      return [{ id: `${about.program}-bucket-exists`, status: 'fail', subject, found: 'does not exist', why, advice }];
    }
    if (error.code === 'unreachable' || error.code === 'tls') {
      const found = `was not looked at: ${error.message}`;
      return [{ id: `${about.program}-lifecycle`, status: 'skip', subject, found, advice: error.advice }];
    }
    const status = error.code === 'not-implemented' ? 'skip' : 'warn';
    const found = `its rules cannot be read: ${error.message}`;
    const why = 'a rule that somebody made by hand would go unseen';
    return [{ id: `${about.program}-lifecycle`, status, subject, found, why, advice: error.advice }];
  }
}
