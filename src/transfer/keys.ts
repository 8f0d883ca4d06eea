/**
 * The order of S3 listings: by UTF-8 bytes. JavaScript compares UTF-16 units, which differs only where a surrogate
 * (U+10000 and above) meets a unit from U+E000 to U+FFFF.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const [x, y] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** What is before the last slash, with it: `a/b/` of `a/b/c`; empty at the top. */
export function parentOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

/** Whether it can be written as UTF-8: no half of a surrogate pair. */
export function isWellFormed(key: string): boolean {
  return !/\p{Surrogate}/u.test(key);
}
