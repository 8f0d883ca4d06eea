/** The end-to-end proof of `bucketwright observability verify`. */
export type { VerifyInput } from './input.ts';
export { verifyStack } from './verify.ts';
