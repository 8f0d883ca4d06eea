import type { Finding } from '../core/finding.ts';
import type { Secret } from '../core/secret.ts';

/** Passwords that products and their tutorials ship with; the first thing that is tried. */
const shipped: ReadonlySet<string> = new Set([
  'minioadmin',
  'minio123',
  'miniosecret',
  'password',
  'password123',
  'changeme',
  'changeit',
  'admin',
  'admin123',
  'secret',
  'secretkey',
  'supersecret',
  'test',
  'testtest',
  'testing',
  'rustfsadmin',
  'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
]);

const WEAK_BITS = 60;
/** 32 hexadecimal digits, 128 random bits, look like about 115. */
const STRONG_BITS = 100;

/**
 * How many bits a text holds at most, by how often its characters come: a bound from above, since a sentence that everybody
 * knows looks as good as noise. Runs such as `abcd` and `7654` count as
 * two characters.
 */
export function estimatedBits(text: string): number {
  const codes = [...text].map((character) => character.charCodeAt(0));
  const step = (index: number) => (codes[index] ?? 0) - (codes[index - 1] ?? 0);
  const goesOn = (index: number) => index >= 2 && step(index) === step(index - 1) && Math.abs(step(index)) <= 1;
  const characters = codes.filter((_, index) => !goesOn(index));
  const counts = new Map<number, number>();
  for (const character of characters) counts.set(character, (counts.get(character) ?? 0) + 1);
  const each = [...counts.values()].reduce((bits, count) => {
    const share = count / characters.length;
    return bits - share * Math.log2(share);
  }, 0);
  return Math.floor(each * characters.length);
}

/** Whether the secret can be guessed. The finding never says more of it than its length. */
export function checkStrength(accessKeyId: Secret, secretAccessKey: Secret): Finding {
  const secret = secretAccessKey.reveal();
  const facts = {
    id: 'key-strength',
    subject: 'S3_SECRET_ACCESS_KEY',
    expected: 'at least 128 random bits',
    why: 'keys can be tried by everybody who reaches the endpoint',
    advice: 'make a new pair (`bucketwright user rotate` here; elsewhere where the provider makes keys)',
  };
  if (shipped.has(secret)) return { ...facts, status: 'fail', found: 'a password that products are shipped with' };
  if (secret === accessKeyId.reveal()) return { ...facts, status: 'fail', found: 'the same as the access key id' };
  const bits = estimatedBits(secret);
  const found = `${secret.length} characters, at most ${bits} bits`;
  if (bits < WEAK_BITS) return { ...facts, status: 'fail', found };
  if (bits < STRONG_BITS) return { ...facts, status: 'warn', found };
  return { id: facts.id, subject: facts.subject, status: 'ok', found };
}
