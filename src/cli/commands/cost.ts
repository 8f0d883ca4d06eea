import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import { DAY, parseDuration } from '../../core/durations.ts';
import { systemErrorCode, UsageError } from '../../core/errors.ts';
import { parseBytes } from '../../core/sizes.ts';
import {
  costJson,
  costText,
  estimate,
  givenUsage,
  measureUsage,
  type PlaceUsage,
  type PriceList,
  parsePriceLists,
  priceLists,
} from '../../cost/index.ts';
import { resolveConnection } from '../../providers/index.ts';
import { type WantedPlace, wantedPlaces } from '../../provision/wanted.ts';
import type { Settings } from '../../settings/index.ts';
import { type CliContext, loadSettings, type Register, withSettings } from '../context.ts';

interface Options {
  readonly for?: string;
  readonly prices?: string;
  readonly window: number;
  readonly logsPerDay?: number;
  readonly tracesPerDay?: number;
  readonly logsObject: number;
  readonly tracesObject: number;
  readonly readsPerMonth: number;
  readonly egressPerMonth: number;
  readonly json?: boolean;
}

export const cost: Register = (program, context) => {
  const command = program.command('cost');
  withSettings(command)
    .description('Estimate what the storage costs a month: from what is in the buckets, or from rates that you expect.')
    .option('--for <providers>', 'whose prices, separated by commas (default: the endpoint’s, else all there are)')
    .option('--prices <file>', 'price lists of your own, YAML or JSON')
    .addOption(
      new Option('--window <duration>', 'how far back the growth per day is averaged')
        .argParser(duration)
        .default(7 * DAY, '7d'),
    )
    .option('--logs-per-day <size>', 'what Loki will store a day, compressed; no bucket is looked at then', bytes)
    .option('--traces-per-day <size>', 'what Tempo will store a day, compressed; likewise', bytes)
    .addOption(
      new Option('--logs-object <size>', 'mean size of a chunk, with --logs-per-day')
        .argParser(bytes)
        .default(512 * 1024, '512KiB'),
    )
    .addOption(
      new Option('--traces-object <size>', 'mean size of a block’s files, with --traces-per-day')
        .argParser(bytes)
        .default(4 * 1024 * 1024, '4MiB'),
    )
    .option('--reads-per-month <n>', 'requests that read an object', whole, 0)
    .option('--egress-per-month <size>', 'what leaves the provider', bytes, 0)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Measuring lists every object once: a request for each 1,000. Nothing is written.

Examples:
  bucketwright cost
  bucketwright cost --for hetzner,aws --egress-per-month 50GiB
  bucketwright cost --for hetzner --logs-per-day 2GiB --traces-per-day 500MiB --retention-logs 31d`,
    )
    .action(async (options: Options) => {
      const settings = loadSettings(command, context);
      const lists = chosenLists(options, settings);
      const leasts = [...new Set(lists.map(({ leastObjectBytes }) => leastObjectBytes))];
      const given = options.logsPerDay !== undefined || options.tracesPerDay !== undefined;
      const places = given ? expected(options, settings, leasts) : await measured(options, settings, leasts, context);
      const traffic = { reads: options.readsPerMonth, egressBytes: options.egressPerMonth };
      const estimates = lists.map((list) => estimate(list, places, traffic, !given));
      if (options.json === true) {
        context.out.write(`${JSON.stringify(costJson(places, estimates, traffic), null, 2)}\n`);
      } else context.out.write(costText(places, estimates, traffic));
    });
};

/** @throws UsageError for a provider whose prices are nowhere */
function chosenLists({ for: named, prices }: Options, settings: Settings): readonly PriceList[] {
  const own = prices === undefined ? [] : parsePriceLists(readPrices(prices), prices);
  const all = [...own, ...priceLists.filter(({ provider }) => own.every((list) => list.provider !== provider))];
  if (named !== undefined) {
    return named.split(',').map((name) => {
      const list = all.find(({ provider }) => provider === name.trim());
      if (list !== undefined) return list;
      throw new UsageError(`there is no price list of ${name.trim()}`, {
        subject: '--for',
        advice: `there are ${all.map(({ provider }) => provider).join(', ')}; others go into a file for --prices`,
      });
    });
  }
  if (own.length > 0) return own;
  const { storage } = settings;
  const name = storage.kind === 's3' ? resolveConnection(storage).provider.name : undefined;
  const endpoints = all.filter(({ provider }) => provider === name);
  return endpoints.length > 0 ? endpoints : all;
}

function readPrices(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown';
    throw new UsageError(`${path} cannot be read (${code})`, { subject: path, advice: 'check --prices', cause: error });
  }
}

function expected(options: Options, settings: Settings, leasts: readonly number[]): readonly PlaceUsage[] {
  const places: PlaceUsage[] = [];
  const add = (use: 'loki' | 'tempo', perDay: number | undefined, object: number) => {
    if (perDay === undefined) return;
    places.push({ use, usage: givenUsage(perDay, object, leasts), retention: retentionOf(use, settings) });
  };
  add('loki', options.logsPerDay, options.logsObject);
  add('tempo', options.tracesPerDay, options.tracesObject);
  return places;
}

async function measured(
  options: Options,
  settings: Settings,
  leasts: readonly number[],
  context: CliContext,
): Promise<readonly PlaceUsage[]> {
  const { storage } = settings;
  if (storage.kind === 'filesystem') {
    throw new UsageError('there is no bucket to measure: S3_ENDPOINT is not set', {
      subject: 'S3_ENDPOINT',
      advice: 'set it, or say --logs-per-day and --traces-per-day',
    });
  }
  const { createClient } = await import('../../client/index.ts');
  const client = createClient(resolveConnection(storage));
  let listed = 0;
  const onObject = () => {
    listed += 1;
    if (listed % 10_000 === 0 && context.err.isTTY === true) context.err.write(`\rlisted ${listed} objects`);
  };
  try {
    const places: PlaceUsage[] = [];
    for (const place of wantedPlaces(settings)) {
      const window = { now: Date.now(), window: options.window, leasts, onObject };
      const usage = await measureUsage(client, place, window);
      places.push({ use: nameOf(place), usage, retention: retentionOf(place.use, settings) });
    }
    return places;
  } finally {
    if (listed >= 10_000 && context.err.isTTY === true) context.err.write('\r\u001b[2K');
    client.close();
  }
}

function nameOf({ use, bucket }: WantedPlace): string {
  return use === 'bucketwright.yaml' ? bucket : use;
}

function retentionOf(use: string, { retention }: Settings): number | undefined {
  if (use === 'loki') return retention.logs;
  return use === 'tempo' ? retention.traces : undefined;
}

function bytes(text: string): number {
  const value = parseBytes(text);
  if (value === undefined || value === 0) throw new InvalidArgumentError('must be a size such as 500MiB or 2GiB.');
  return value;
}

function duration(text: string): number {
  const value = parseDuration(text);
  if (value === undefined || value === 0) throw new InvalidArgumentError('must be a duration such as 7d.');
  return value;
}

function whole(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('must be a whole number.');
  return Number(text);
}
