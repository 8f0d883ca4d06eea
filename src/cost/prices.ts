import { KiB } from '../core/sizes.ts';
import { type PriceList, priceList } from './price-list.ts';

const HOURS_A_MONTH = 730;

/**
 * What providers published, each with its day and source. Prices change: a list is as old as its `asOf`, which every
 * estimate prints. A newer one goes here, or into a file for `--prices`.
 */
export const priceLists: readonly PriceList[] = [
  priceList({
    provider: 'hetzner',
    scope: 'Object Storage, fsn1, nbg1 and hel1',
    currency: 'EUR',
    asOf: '2026-10-01',
    source: 'https://docs.hetzner.com/storage/object-storage/overview',
    gigabyte: 1_000_000_000,
    base: 6.49,
    includedGB: 1000,
    storagePerGB: (0.0087 * HOURS_A_MONTH) / 1000,
    includedEgressGB: 1000,
    egressPerGB: 0.001,
    leastObjectBytes: 64 * KiB,
    notes: [
      'The base price is charged while any bucket exists; it is per account, not per bucket.',
      'An object below 64 KB is billed as 64 KB, its metadata counts.',
    ],
  }),
  priceList({
    provider: 'aws',
    scope: 'S3 Standard, us-east-1, the first 50 TB',
    currency: 'USD',
    asOf: '2022-07-07',
    source: 'https://aws.amazon.com/s3/pricing/',
    gigabyte: 1_073_741_824,
    storagePerGB: 0.023,
    writesPerThousand: 0.005,
    readsPerThousand: 0.0004,
    egressPerGB: 0.09,
    includedEgressGB: 100,
    notes: [
      'From a published copy of the page, which shows its prices only in a browser: look there before you decide.',
    ],
  }),
  priceList({
    provider: 'r2',
    scope: 'Standard storage',
    currency: 'USD',
    asOf: '2026-08-03',
    source: 'https://developers.cloudflare.com/r2/pricing/',
    gigabyte: 1_000_000_000,
    storagePerGB: 0.015,
    includedGB: 10,
    writesPerThousand: 0.0045,
    includedWrites: 1_000_000,
    readsPerThousand: 0.00036,
    includedReads: 10_000_000,
  }),
  priceList({
    provider: 'b2',
    currency: 'USD',
    asOf: '2026-04-01',
    source: 'https://www.backblaze.com/cloud-storage/pricing',
    gigabyte: 1_000_000_000,
    storagePerGB: 0.006,
    includedGB: 10,
    readsPerThousand: 0.0004,
    includedReads: 75_000,
    egressPerGB: 0.01,
    freeEgressPerStoredGB: 3,
    notes: [
      'From a published summary of the page. A delete hides: without a lifecycle rule old versions are billed for ever.',
    ],
  }),
  priceList({
    provider: 'wasabi',
    scope: 'pay as you go, a terabyte of 1,024 GB',
    currency: 'USD',
    asOf: '2026-07-01',
    source: 'https://wasabi.com/pricing',
    gigabyte: 1_073_741_824,
    base: 7.99,
    includedGB: 1024,
    storagePerGB: 7.99 / 1024,
    leastObjectBytes: 4 * KiB,
    notes: [
      'From a published summary of the page. Less than 1,024 GB is billed as 1,024 GB.',
      'What is deleted within 90 days is billed until then: short retention of logs and traces pays for three months.',
      'Requests and egress are not charged while a month reads no more than is stored.',
    ],
  }),
  priceList({
    provider: 'scaleway',
    scope: 'Standard, multi-AZ',
    currency: 'EUR',
    asOf: '2026-07-21',
    source: 'https://www.scaleway.com/en/pricing/storage/',
    gigabyte: 1_000_000_000,
    storagePerGB: 0.0146,
    includedEgressGB: 75,
    egressPerGB: 0.01,
    notes: [
      'From a published summary of the page, which does not say whether a GB is 10⁹ bytes. Requests are not charged.',
    ],
  }),
  priceList({
    provider: 'ovh',
    scope: 'One Zone Standard',
    currency: 'EUR',
    asOf: '2026-10-02',
    source: 'https://www.ovhcloud.com/en/public-cloud/prices/',
    gigabyte: 1_073_741_824,
    storagePerGB: 0.0070956,
    notes: ['From a published summary of the page. Requests and outgoing traffic are not charged.'],
  }),
];
