export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;
export const TiB = 1024 * GiB;

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Bytes for people: `1.5 MiB`. Binary units, at most one decimal. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const text = unit === 0 || value >= 100 ? Math.round(value).toString() : value.toFixed(1).replace(/\.0$/, '');
  return `${text} ${UNITS[unit]}`;
}

/**
 * Bytes as people write them: `4096`, `64KiB`, `1.5 GiB`; `K`, `M`, `G` and `KB`, `MB`, `GB` mean the same binary units.
 * @returns undefined when the text is none
 */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,3})?)\s*(?:([KMGT])(?:i?B)?|B)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const power = match[2] === undefined ? 0 : 'KMGT'.indexOf(match[2].toUpperCase()) + 1;
  const bytes = Math.round(Number(match[1]) * 1024 ** power);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
