import { formatDuration } from '../core/durations.ts';
import { formatBytes } from '../core/sizes.ts';
import { type Estimate, type MonthlyCost, type PlaceUsage, steadyState, type Traffic } from './estimate.ts';
import type { Amount } from './usage.ts';

/** The estimates for people. What was assumed is said where it counts. */
export function costText(places: readonly PlaceUsage[], estimates: readonly Estimate[], traffic: Traffic): string {
  const lines = ['what       objects   stored      a day       kept for  at steady state'];
  for (const place of places) lines.push(placeLine(place));
  if (places.some(({ retention }) => retention === undefined)) {
    lines.push('What is kept for ever never comes to a steady state: counted as it will be after a year.');
  }
  for (const one of estimates) lines.push('', ...estimateLines(one));
  lines.push('');
  if (traffic.reads === 0) lines.push('Reads are not counted: a bucket does not tell them; say --reads-per-month.');
  if (traffic.egressBytes === 0) lines.push('Egress is not counted; say --egress-per-month.');
  return `${lines.join('\n').trimEnd()}\n`;
}

function placeLine(place: PlaceUsage): string {
  const { use, usage, retention } = place;
  const cells = [
    use.padEnd(9),
    count(usage.now.objects).padStart(8),
    formatBytes(usage.now.bytes).padEnd(10),
    formatBytes(usage.perDay.bytes).padEnd(10),
    (retention === undefined ? 'ever' : formatDuration(retention)).padEnd(8),
    `${formatBytes(steadyState(place).bytes)} in ${count(steadyState(place).objects)} objects`,
  ];
  return cells.join('  ');
}

function estimateLines({ list, now, steady }: Estimate): readonly string[] {
  const { currency } = list;
  const columns = (what: string, left: string, right: string) =>
    `  ${what.padEnd(50)}${left.padStart(12)}${right.padStart(16)}`.trimEnd();
  const money = (value: number) => `${value.toFixed(2)} ${currency}`;
  const lines = [
    `${list.provider}${list.scope === undefined ? '' : ` (${list.scope})`}, a month, without tax; prices of ${list.asOf}, ${list.source}`,
    columns('', now === undefined ? '' : 'now', 'steady state'),
  ];
  for (const line of steady.lines) {
    if (line.cost === 0 && line.amount === 0) continue;
    const before = now?.lines.find(({ what }) => what === line.what);
    const included = line.included > 0 ? ` (${count(line.included)} included)` : '';
    const unit = line.what === 'base' ? '' : line.what === 'storage' || line.what === 'egress' ? ' GB' : ' requests';
    const amount = line.what === 'base' ? '' : `: ${count(line.amount)}${unit}${included}`;
    lines.push(columns(`${line.what}${amount}`, before === undefined ? '' : money(before.cost), money(line.cost)));
  }
  lines.push(columns('total', now === undefined ? '' : money(now.total), money(steady.total)));
  for (const note of list.notes) lines.push(`  ${note}`);
  return lines;
}

function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 1 : 0 });
}

/** The same for machines. */
export function costJson(places: readonly PlaceUsage[], estimates: readonly Estimate[], traffic: Traffic): object {
  return {
    places: places.map((place) => ({
      use: place.use,
      now: plain(place.usage.now),
      perDay: plain(place.usage.perDay),
      averagedOverDays: place.usage.days,
      retentionMs: place.retention ?? null,
      steadyState: plain(steadyState(place)),
    })),
    traffic,
    estimates: estimates.map(({ list, now, steady }) => ({
      provider: list.provider,
      scope: list.scope,
      currency: list.currency,
      asOf: list.asOf,
      source: list.source,
      now: now === undefined ? null : monthJson(now),
      steadyState: monthJson(steady),
      notes: list.notes,
    })),
  };
}

function plain({ objects, bytes }: Amount): object {
  return { objects, bytes };
}

function monthJson({ lines, total }: MonthlyCost): object {
  return { lines, total };
}
