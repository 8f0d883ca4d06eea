import { measuredRows } from './measured.ts';
import { type FeatureState, features, type ProviderProfile } from './profile.ts';
import { providers } from './registry.ts';

const marks: Readonly<Record<FeatureState, string>> = { yes: 'yes', partial: 'partial', no: 'no', unknown: '?' };

/** docs/reference/providers.md, from the profiles and what was measured. */
export function providersReferencePage(): string {
  const named = providers.filter(({ name }) => name !== 'generic');
  const half = Math.ceil(named.length / 2);
  return `# Providers

Made by \`npm run generate\` from \`src/providers/\`; do not edit. \`bucketwright provider show NAME\` prints one profile,
\`bucketwright provider probe\` measures an endpoint ([how](../how-to/probe-a-provider.md)).

\`partial\` has a note below; \`?\` means that nobody measured or documented it, so a plan sends nothing before the server has
shown that it knows the subresource.

## Measured

By \`bucketwright provider probe\`, by effects: bytes that are still there, rules read back equal, races that one wins.

${table(
  ['feature', ...measuredRows.map(({ server, date }) => `${server}, ${date}`)],
  features.map((feature) => [feature, ...measuredRows.map((row) => marks[row.features[feature]])]),
)}
Nothing else was measured by us. The other profiles say what their documentation and dated reports of users say.

## What the profiles say

${profilesTable(named.slice(0, half))}
${profilesTable(named.slice(half))}
Conditional writes are believed only where this table says \`yes\` (or \`partial\`, within its note). The probe can take that
away for one endpoint, never add it: a server that ignores \`If-None-Match\` answers 200 as well.

## How they are addressed

${table(
  ['provider', '`S3_PROVIDER`', 'region', 'addressed', 'checksums', 'prefix of a lifecycle rule'],
  named.map((profile) => [
    profile.title,
    profile.name,
    `${profile.defaultRegion}${profile.regionMatters ? '' : ' (any is accepted)'}`,
    profile.pathStyle ? 'in the path' : 'in the host name',
    profile.checksums === 'when-supported' ? 'with every upload' : 'where S3 demands one',
    profile.lifecyclePrefix === 'rule' ? 'in the rule' : 'in its Filter',
  ]),
)}
## Notes

${named.flatMap(notes).join('\n')}`;
}

function profilesTable(profiles: readonly ProviderProfile[]): string {
  return table(
    ['feature', ...profiles.map(({ name }) => name)],
    features.map((feature) => [feature, ...profiles.map((profile) => marks[profile.features[feature]])]),
  );
}

function notes(profile: ProviderProfile): readonly string[] {
  const lines = features.flatMap((feature) => {
    const note = profile.notes[feature];
    return note === undefined ? [] : [`- ${feature}: ${note}`];
  });
  const all = [...lines, ...(profile.rules ?? []).map((rule) => `- ${rule}`)];
  return all.length === 0 ? [] : [`### ${profile.title}\n\n${all.join('\n')}\n`];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('');
}
