import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BackupError } from '../errors.ts';
import { META_BYTES, readMeta } from './layout.ts';
import { keyOrder, readPage } from './page.ts';

const tree = {
  flags: 4,
  height: 1,
  dupfixSize: 0,
  root: 3,
  branchPages: 0,
  leafPages: 1,
  largePages: 0,
  items: 0,
};

test('whatever a page holds, it is read within its bounds or refused as broken', () => {
  const page = fc.uint8Array({ minLength: 256, maxLength: 256 }).chain((bytes) =>
    fc
      .record({
        kind: fc.constantFrom(1, 2, 0x22),
        count: fc.integer({ min: 0, max: 20 }),
        upper: fc.integer({ min: 0, max: 236 }),
      })
      .map(({ kind, count, upper }) => {
        const buffer = Buffer.from(bytes);
        buffer.writeUInt16LE(kind, 10);
        buffer.writeUInt16LE(count * 2, 12);
        buffer.writeUInt16LE(upper, 14);
        // Entries that lie within, so that what they hold is read, too.
        for (let entry = 0; entry < count; entry++) {
          buffer.writeUInt16LE(upper + ((buffer[100 + entry] ?? 0) % Math.max(1, 236 - upper)), 20 + entry * 2);
        }
        return buffer;
      }),
  );
  fc.assert(
    fc.property(page, fc.boolean(), (bytes, nested) => {
      try {
        for (const reference of readPage(bytes, 7, tree, nested).references) expect(reference.kind).toBeTruthy();
      } catch (error) {
        expect(error).toBeInstanceOf(BackupError);
      }
    }),
    { numRuns: 2000 },
  );
});

test('whatever a meta page holds, it is read, or is none', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: META_BYTES, maxLength: META_BYTES }),
      fc.integer({ min: 0, max: 255 }),
      (bytes, version) => {
        const buffer = Buffer.from(bytes);
        buffer.writeUInt16LE(8, 10);
        buffer.writeBigUInt64LE((0x59_65_9d_bd_ef_4c_11n << 8n) | BigInt(version), 20);
        buffer.copy(buffer, 196, 28, 36);
        try {
          const meta = readMeta(buffer, 0);
          if (meta !== undefined) expect(meta.firstUnallocated).toBeLessThanOrEqual(meta.endPage);
        } catch (error) {
          expect(error).toMatchObject({ code: 'not-mdbx' });
        }
      },
    ),
  );
});

test('keys are ordered as the flags say', () => {
  const number = (value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const compare = (flags: number, a: Buffer, b: Buffer) =>
    Math.sign(keyOrder(flags, false)(Buffer.concat([a, b]), 0, a.length, a.length, b.length));
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (a, b) => {
      expect(compare(8, number(a), number(b))).toBe(Math.sign(a - b));
      const [x, y] = [Buffer.from(String(a)), Buffer.from(String(b))];
      expect(compare(2, x, y)).toBe(Buffer.compare(Buffer.from(x).reverse(), Buffer.from(y).reverse()));
      expect(compare(0, x, y)).toBe(Buffer.compare(x, y));
    }),
  );
});
