import { declarations } from './declarations.ts';

/** The reference page of all settings, in Markdown. */
export function referencePage(): string {
  const rows = declarations.map(({ env, yaml, flag, default: fallback, unset, help, secret }) => {
    const value = fallback === undefined ? (unset ?? '') : `\`${fallback}\``;
    const option = flag === undefined ? '' : `\`${flag}\``;
    return `| \`${env}\` | \`${yaml.join('.')}\` | ${option} | ${value} | ${help}${secret ? ' Secret.' : ''} |`;
  });
  return `# Settings

<!-- Made from src/settings/declarations.ts by \`npm run generate\`; a test notices drift. -->

Flags beat the environment, the environment beats \`NAME_FILE\` (the path of a file that holds the value, as Swarm secrets
are), that beats \`bucketwright.yaml\`, that beats the default. \`NAME\` and \`NAME_FILE\` together are an error. Empty means
unset. \`bucketwright config show\` prints every effective value with its origin, and never a secret.

| variable | bucketwright.yaml | flag | default | |
|---|---|---|---|---|
${rows.join('\n')}

Secrets have no flag, since process lists show those. In bucketwright.yaml they may be files beside it:
\`s3.accessKeyIdFile\` and \`s3.secretAccessKeyFile\`, relative to it.

\`bucketwright.yaml\` is read from the working directory, or from where \`--config\` or \`BUCKETWRIGHT_CONFIG\` says. It may
also say what should exist, \`buckets\` and \`tenants\`, for several \`environments\`: see [the manifest](manifest.md). Editors learn its keys from \`schema/bucketwright.schema.json\`:

\`\`\`yaml
# yaml-language-server: $schema=./node_modules/bucketwright/schema/bucketwright.schema.json
s3:
  endpoint: https://fsn1.your-objectstorage.com
  secretAccessKeyFile: secrets/s3_secret_access_key
  accessKeyIdFile: secrets/s3_access_key_id
loki: { bucket: acme-observability }
tempo: { bucket: acme-observability }
buckets:
  - acme-media
\`\`\`

Without an S3 setting (\`S3_ENDPOINT\`, keys, region, path style, provider, \`S3_INSECURE\`) everything stays on the local
filesystem, and the commands say so. With one of them, endpoint and both keys are required.
`;
}
