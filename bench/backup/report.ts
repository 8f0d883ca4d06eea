import { formatBytes } from '../../src/core/sizes.ts';
import type { Results, Round } from '../backup.ts';
import type { Measured } from './measured.ts';

const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;

/** The page, from the figures alone. */
export function report(results: Results): string {
  const { machine, rounds, continuous, increments, environmentBytes } = results;
  const of = (tool: Round['tool'], what: (round: Round) => number) =>
    median(rounds.filter((round) => round.tool === tool).map(what));
  const row = (name: string, what: (round: Round) => string | number) =>
    `| ${name} | ${(['ours', 'restic', 'mdbx_copy'] as const).map((tool) => cell(tool, what)).join(' | ')} |`;
  const cell = (tool: Round['tool'], what: (round: Round) => string | number) => {
    const found = rounds.filter((round) => round.tool === tool).map(what);
    return found.every((value) => typeof value === 'number') ? median(found).toFixed(1) : String(found[0]);
  };
  const ratio = (what: (round: Round) => number) => of('restic', what) / of('ours', what);
  const seconds = (part: 'first' | 'increment' | 'restore') => (round: Round) => round[part].seconds;
  const cpu = (part: 'first' | 'increment' | 'restore') => (round: Round) => round[part].cpuSeconds;
  const rss = Math.max(...rounds.filter(({ tool }) => tool === 'ours').map(({ first }) => first.rss));
  const lowered = (pair: { readonly alone: number; readonly beside: number }) => 100 * (1 - pair.beside / pair.alone);
  const read = median(rounds.flatMap(({ increment }) => (increment.read === undefined ? [] : [increment.read])));
  const targets: readonly (readonly [string, string, boolean | undefined])[] = [
    ['first backup, times restic', `≥ 1.5: ${ratio(seconds('first')).toFixed(2)}`, ratio(seconds('first')) >= 1.5],
    [
      'repository, of restic’s',
      `≤ 1.1: ${(1 / ratio((round) => round.first.bytes)).toFixed(2)}`,
      ratio((round) => round.first.bytes) >= 1 / 1.1,
    ],
    ['resident memory', `≤ 300 MiB: ${formatBytes(rss)}`, rss <= 300 * 1024 ** 2],
    ['increment, times restic', `≥ 10: ${ratio(seconds('increment')).toFixed(1)}`, ratio(seconds('increment')) >= 10],
    [
      'increment’s bytes, of restic’s',
      `≤ 1: ${(1 / ratio((round) => round.increment.bytes)).toFixed(2)}`,
      ratio((round) => round.increment.bytes) >= 1,
    ],
    ['increment reads of the source', `${formatBytes(read)} of ${formatBytes(environmentBytes)}`, undefined],
    ['RPO at p99', `< 15 s: ${continuous.rpo.p99.toFixed(1)} s`, continuous.rpo.p99 < 15],
    [
      'writer at 200 commits/s lowered by',
      `< 5 %: ${lowered(continuous.held).toFixed(1)} %`,
      lowered(continuous.held) < 5,
    ],
    ['restore, times restic', `≥ 1.5: ${ratio(seconds('restore')).toFixed(2)}`, ratio(seconds('restore')) >= 1.5],
    ...(increments === undefined
      ? []
      : [
          [
            `point in time out of ${increments.count} increments, times a whole snapshot’s restore`,
            `≤ 1.3: ${(increments.seconds / increments.whole.seconds).toFixed(2)}`,
            increments.seconds <= 1.3 * increments.whole.seconds,
          ] as const,
        ]),
  ];
  const memory = (measured: Measured) => formatBytes(measured.rss);
  return `# Benchmarks of backups

\`npm run bench:backup -- --write\` writes this page: our backups beside restic and beside \`mdbx_copy\` with an upload by
rclone, on the same environment and the same embedded server, which shares the processors. One environment of ${formatBytes(environmentBytes)},
${results.values} values like small JSON documents (300 to 1,500 bytes) under random keys, pages of 4 KiB. Medians of ${rounds.length / 3} rounds; each
round begins with another tool, on a server of its own. ${results.restic}.

${machine.cores} cores (${machine.processor}), ${machine.memoryGiB} GiB, ${machine.filesystem}, Linux ${machine.kernel}, Node.js ${machine.node}; load before the run ${machine.loadBefore.toFixed(1)}.${
    machine.loadBefore > 1 ? ' **The machine was not quiet**: seconds mean little then, CPU seconds more.' : ''
  }

| | ours | restic | mdbx_copy |
|---|---|---|---|
${[
  row('first backup, s', seconds('first')),
  row('… CPU s of the tool', cpu('first')),
  row('… CPU s of the server', (round) => round.first.serverCpu),
  row('… stored', (round) => formatBytes(round.first.bytes)),
  row('… resident', (round) => memory(round.first)),
  row('after 1 % of the keys changed, s', seconds('increment')),
  row('… CPU s of the tool', cpu('increment')),
  row('… stored', (round) => formatBytes(round.increment.bytes)),
  row('restore, s', seconds('restore')),
  row('… CPU s of the tool', cpu('restore')),
  row('… CPU s of the server', (round) => round.restore.serverCpu),
  row('… resident', (round) => memory(round.restore)),
].join('\n')}

| target | | |
|---|---|---|
${targets.map(([name, found, met]) => `| ${name} | ${found} | ${met === undefined ? '' : met ? 'met' : '**missed**'} |`).join('\n')}

Continuous, every 10 s: ${continuous.snapshots} snapshots; RPO p50 ${continuous.rpo.p50.toFixed(1)} s, p99 ${continuous.rpo.p99.toFixed(1)} s, at most ${continuous.rpo.most.toFixed(1)} s. A writer held to 200 commits/s
reached ${continuous.held.alone.toFixed(1)} alone and ${continuous.held.beside.toFixed(1)} beside the backup; one that is not held back ${continuous.free.alone.toFixed(0)} and ${continuous.free.beside.toFixed(0)} (${lowered(continuous.free).toFixed(1)} % less: backup and
server want its processors).
${
  increments === undefined
    ? ''
    : `\n${increments.count} increments of an environment of 256 MiB: ${formatBytes(increments.bytes)} stored, the last snapshot has ${increments.layers} layers; its restore took ${increments.seconds.toFixed(2)} s
and ${increments.requests} requests, that of a whole snapshot of the same state ${increments.whole.seconds.toFixed(2)} s and ${increments.whole.requests}.\n`
}`;
}
