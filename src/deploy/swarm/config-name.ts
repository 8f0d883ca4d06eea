import { createHash } from 'node:crypto';

/**
 * A Swarm config never changes, so it is named after what it holds: a changed file is a new config and thereby an
 * update of the service, and a roll-back names the old one, which is still there.
 */
export function configName(base: string, text: string): string {
  return `${base}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
}

/** Where a file of the project is, seen from deploy/swarm/. */
export interface SwarmConfig {
  readonly key: string;
  /** From the root of the project. */
  readonly path: string;
}

/** The top-level `configs:` entries for these files. */
export function configEntries(configs: readonly SwarmConfig[], textOf: (path: string) => string): string {
  return configs
    .map(({ key, path }) => `  ${key}:\n    name: ${configName(key, textOf(path))}\n    file: ../../${path}`)
    .join('\n');
}
