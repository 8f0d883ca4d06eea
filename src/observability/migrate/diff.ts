/**
 * A unified diff with three lines of context, as `diff -u` prints it; empty where the texts are the same. For
 * configuration files: the work grows with the product of the lines that differ.
 */
export function unifiedDiff(path: string, before: string, after: string): string {
  if (before === after) return '';
  const lines = editScript(linesOf(before), linesOf(after));
  const shown = new Set<number>();
  for (const [at, line] of lines.entries()) {
    if (line.mark === ' ') continue;
    for (let near = Math.max(0, at - 3); near <= Math.min(lines.length - 1, at + 3); near++) shown.add(near);
  }
  let text = `--- ${path}\n+++ ${path}\n`;
  for (const [at, line] of lines.entries()) {
    if (!shown.has(at)) continue;
    if (!shown.has(at - 1)) text += hunkHead(lines, shown, at);
    text += `${line.mark}${line.text}\n`;
  }
  return text;
}

/** A last line without a line break differs from the same with one. */
function linesOf(text: string): string[] {
  const lines = text.split('\n');
  const rest = lines.pop() ?? '';
  return rest === '' ? lines : [...lines, `${rest}\n\\ No newline at end of file`];
}

interface Line {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

function hunkHead(lines: readonly Line[], shown: ReadonlySet<number>, start: number): string {
  let end = start;
  while (shown.has(end + 1)) end += 1;
  const inHunk = lines.slice(start, end + 1);
  const count = (part: readonly Line[], other: '-' | '+') => part.filter(({ mark }) => mark !== other).length;
  const beforeHunk = lines.slice(0, start);
  const range = (other: '-' | '+') => `${count(beforeHunk, other) + 1},${count(inHunk, other)}`;
  return `@@ -${range('+')} +${range('-')} @@\n`;
}

/** The longest common subsequence of lines is kept. */
function editScript(a: readonly string[], b: readonly string[]): Line[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1;
  const left = a.slice(head, a.length - tail);
  const right = b.slice(head, b.length - tail);
  const keep = (text: string): Line => ({ mark: ' ', text });
  return [...a.slice(0, head).map(keep), ...middle(left, right), ...a.slice(a.length - tail).map(keep)];
}

function middle(left: readonly string[], right: readonly string[]): Line[] {
  const width = right.length + 1;
  const common = new Uint32Array((left.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      common[i * width + j] = left[i] === right[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      lines.push({ mark: ' ', text: left[i] ?? '' });
      i += 1;
      j += 1;
    } else if (i < left.length && (j >= right.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ mark: '-', text: left[i] ?? '' });
      i += 1;
    } else {
      lines.push({ mark: '+', text: right[j] ?? '' });
      j += 1;
    }
  }
  return lines;
}

/** Keys that lie in a configuration, out of what is printed. A variable (`${NAME}`) is no secret, its default is. */
export function withoutSecrets(text: string): string {
  const names = 'access_key_id|secret_access_key|session_token|access_key|secret_key|password|account_key|sas_token';
  const quoted = `"[^"\\n]*"|'[^'\\n]*'`;
  const bare = `(?:\\$\\{[^}\\n]*\\}|[^\\s,}#"'])+`;
  const value = new RegExp(`\\b(${names})(["']?\\s*:\\s*)(${quoted}|${bare})`, 'g');
  return text
    .replace(value, (whole, name: string, colon: string, found: string) =>
      /^["']?(?:\$\{\w+\})?["']?$/.test(found) ? whole : `${name}${colon}[redacted]`,
    )
    .replace(/(:\/\/)[^\s/@]*@/g, '$1[redacted]@');
}
