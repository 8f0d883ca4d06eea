import { InvalidArgumentError } from 'commander';

/** An option `--label KEY=VALUE` that may come again. */
export function label(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const [, key, value] = /^([A-Za-z0-9][A-Za-z0-9._/-]{0,99})=(.{0,1000})$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError('must be KEY=VALUE.');
  return { ...before, [key]: value };
}
