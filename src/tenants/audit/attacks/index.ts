import type { Attack } from '../model.ts';
import { bucketAttacks } from './bucket.ts';
import { copyAttacks } from './copy.ts';
import { elsewhereAttacks } from './elsewhere.ts';
import { listAttacks } from './list.ts';
import { multipartAttacks } from './multipart.ts';
import { objectAttacks } from './object.ts';
import { signedAttacks } from './signed.ts';

/** Everything that is tried, in the order of the matrix. A new attack is an entry of one of these lists. */
export const attacks: readonly Attack[] = [
  ...listAttacks,
  ...objectAttacks,
  ...copyAttacks,
  ...multipartAttacks,
  ...signedAttacks,
  ...bucketAttacks,
  ...elsewhereAttacks,
];
