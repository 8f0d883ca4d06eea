import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { UsageError } from '../core/errors.ts';

const amount = z.number().finite().nonnegative();

/** What a provider charges for a month, as it publishes it. Amounts are in `currency`, without tax. */
const priceListSchema = z.strictObject({
  /** As `S3_PROVIDER` names it. */
  provider: z.string().min(1),
  /** What was priced, where that is not all: a storage class, a region. */
  scope: z.string().optional(),
  currency: z.string().regex(/^[A-Z]{3}$/, 'a currency is three capital letters, such as EUR'),
  /** The day on which the source said so. */
  asOf: z.iso.date(),
  source: z.string().min(1),
  /** Bytes in what the provider calls a GB. */
  gigabyte: z.union([z.literal(1_000_000_000), z.literal(1_073_741_824)]),
  /** Charged whatever is stored. */
  base: amount.default(0),
  storagePerGB: amount,
  includedGB: amount.default(0),
  /** Requests that write: PUT, POST, COPY, parts of an upload. */
  writesPerThousand: amount.default(0),
  includedWrites: amount.default(0),
  /** Requests that read one object. */
  readsPerThousand: amount.default(0),
  includedReads: amount.default(0),
  egressPerGB: amount.default(0),
  includedEgressGB: amount.default(0),
  /** Egress that is free for each GB stored. */
  freeEgressPerStoredGB: amount.default(0),
  /** A smaller object is billed as one of this many bytes. */
  leastObjectBytes: z.int().nonnegative().default(0),
  notes: z.array(z.string()).default([]),
});

export type PriceList = z.output<typeof priceListSchema>;
export type PriceListInput = z.input<typeof priceListSchema>;

/** A price list with its defaults. @throws z.ZodError for what is none */
export function priceList(input: PriceListInput): PriceList {
  return priceListSchema.parse(input);
}

/**
 * A user's own price lists: one, or a list of them, as YAML or JSON.
 * @throws UsageError with every problem of the file
 */
export function parsePriceLists(text: string, path: string): readonly PriceList[] {
  const fail = (problem: string): never => {
    throw new UsageError(`${path} holds no price list: ${problem}`, {
      subject: path,
      advice: 'its members are in docs/reference/cost.md',
    });
  };
  let document: unknown;
  try {
    document = parseYaml(text);
  } catch (error) {
    return fail(error instanceof Error ? (error.message.split('\n')[0] ?? 'not YAML') : 'not YAML');
  }
  const parsed = z
    .array(priceListSchema)
    .min(1)
    .safeParse(Array.isArray(document) ? document : [document]);
  if (parsed.success) return parsed.data;
  return fail(
    parsed.error.issues.map(({ path: at, message }) => `${at.slice(1).join('.') || 'file'}: ${message}`).join('; '),
  );
}
