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
    const status = error.code === 'not-implemented' ? 'skip' : 'warn';
    const found = `its rules cannot be read: ${error.message}`;
    const why = 'a rule that somebody made by hand would go unseen';
    return [
      { id: `${about.program}-lifecycle`, status, subject: `bucket ${about.bucket}`, found, why, advice: error.advice },
    ];
  }
}
