/** Reading what somebody else's configuration file holds: unknown until looked at. */

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value at a dotted path; undefined where there is none, or where it is empty. */
export function valueAt(configuration: unknown, path: string): unknown {
  let value = configuration;
  for (const key of path.split('.')) {
    value = isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value === null || value === '' ? undefined : value;
}

/** A scalar as text: `true` is `"true"`. */
export function textAt(configuration: unknown, path: string): string | undefined {
  const value = valueAt(configuration, path);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

export function listAt(configuration: unknown, path: string): readonly unknown[] | undefined {
  const value = valueAt(configuration, path);
  return Array.isArray(value) ? value : undefined;
}

export function mapAt(configuration: unknown, path: string): Readonly<Record<string, unknown>> | undefined {
  const value = valueAt(configuration, path);
  return isMap(value) ? value : undefined;
}

/** The first of several paths that has a scalar. */
export function firstTextAt(configuration: unknown, ...paths: readonly string[]): string | undefined {
  return paths.map((path) => textAt(configuration, path)).find((text) => text !== undefined);
}

/** Whether Loki or Tempo would replace it from the environment (`-config.expand-env=true`). */
export const isVariable = (text: string): boolean => /\$\{?[A-Za-z_]/.test(text);
