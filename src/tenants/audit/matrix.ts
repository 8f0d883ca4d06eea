import type { Finding } from '../../core/finding.ts';
import type { AuditResult, Verdict } from './model.ts';

/** One attacker against one victim's place, and one operation. */
export interface Cell {
  readonly operation: string;
  readonly attacker: string;
  readonly victim: string;
  readonly place: string;
  readonly tricks: number;
  readonly counts: Readonly<Record<Verdict, number>>;
}

/** Results by operation (rows, in the order they came) and by attacker and place (columns). */
export function matrixOf(results: readonly AuditResult[]): readonly Cell[] {
  const cells = new Map<string, AuditResult[]>();
  for (const result of results) {
    const key = JSON.stringify([result.operation, result.attacker, result.victim, result.place]);
    cells.set(key, [...(cells.get(key) ?? []), result]);
  }
  return [...cells.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { operation, attacker, victim, place } = first;
    const counts = { denied: 0, nothing: 0, leak: 0, visible: 0, unsupported: 0, unclear: 0 };
    for (const { verdict } of group) counts[verdict] += 1;
    return [{ operation, attacker, victim, place, tricks: group.length, counts }];
  });
}

const cellText = ({ counts, tricks }: Cell): string => {
  if (counts.leak > 0) return `LEAK ${counts.leak}/${tricks}`;
  if (counts.unclear > 0) return `unclear ${counts.unclear}`;
  if (counts.visible > 0) return 'visible';
  return counts.unsupported === tricks ? '-' : `${counts.denied + counts.nothing}`;
};

/** The matrix as text: operations down, attackers and their victims across; each cell the tricks that failed. */
export function formatMatrix(cells: readonly Cell[]): string {
  const columnOf = ({ attacker, victim, place }: Cell) => `${attacker} > ${victim} (${place})`;
  const columns = [...new Set(cells.map(columnOf))];
  const operations = [...new Set(cells.map(({ operation }) => operation))];
  const letters = columns.map((_, index) => String(index + 1));
  const rows = operations.map((operation) => [
    operation,
    ...columns.map((column) => {
      const cell = cells.find((one) => one.operation === operation && columnOf(one) === column);
      return cell === undefined ? '' : cellText(cell);
    }),
  ]);
  const table = [['', ...letters], ...rows];
  const widths = table[0]?.map((_, index) => Math.max(...table.map((row) => row[index]?.length ?? 0))) ?? [];
  const lines = table.map((row) =>
    row
      .map((text, index) => text.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const legend = columns.map((column, index) => `${index + 1}: ${column}`);
  return `${[...legend, '', ...lines].join('\n')}\n`;
}

/** A finding for each pair that holds, and one for each attack that does not. */
export function findingsOf(results: readonly AuditResult[]): readonly Finding[] {
  const pairs = new Map<string, AuditResult[]>();
  for (const result of results) {
    const subject = `${result.attacker} > ${result.place}`;
    pairs.set(subject, [...(pairs.get(subject) ?? []), result]);
  }
  return [...pairs].flatMap(([subject, group]): readonly Finding[] => {
    const wrong = group.filter(({ verdict }) => verdict === 'leak' || verdict === 'unclear');
    const visible = group.filter(({ verdict }) => verdict === 'visible');
    const told = new Map(visible.map((one) => [`${one.operation}: ${one.found}`, one]));
    const warnings = [...told.values()].map(
      ({ operation, found }): Finding => ({
        id: 'tenant-visible',
        status: 'warn',
        subject,
        found: `${operation}: ${found}`,
        why: 'names of buckets and keys may tell who your customers are, and what they have',
        advice: 'keys of a project of its own do not see them',
      }),
    );
    if (wrong.length === 0) {
      const unknown = group.filter(({ verdict }) => verdict === 'unsupported').length;
      const more = unknown === 0 ? '' : `, ${unknown} unknown to the server`;
      const failed = group.length - visible.length;
      return [{ id: 'tenant-isolation', status: 'ok', subject, found: `${failed} attacks failed${more}` }, ...warnings];
    }
    const leaks = wrong.map(
      ({ operation, trick, found, verdict, victim }): Finding => ({
        id: verdict === 'leak' ? 'tenant-leak' : 'tenant-unclear',
        status: 'fail',
        subject,
        found: `${operation}, ${trick}: ${found}`,
        expected: 'refused for lack of rights',
        why:
          verdict === 'leak'
            ? `what is ${victim}'s can be read or changed by others`
            : 'a refusal for another reason proves nothing',
        advice:
          verdict === 'leak'
            ? 'bucketwright tenant plan shows whether the policies are as they should be; a policy of your own may allow it'
            : 'run the audit again; if it stays, look at the server\u2019s log',
      }),
    );
    return [...leaks, ...warnings];
  });
}
