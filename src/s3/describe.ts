import { operations } from './operations/index.ts';
import { elsewhere } from './peers.ts';
import { knownSubresources } from './subresources.ts';

/** The operation table of docs/s3-compatibility.md, in Markdown, from the registry. */
export function describeOperations(): string {
  const rows = operations.map(({ name, route }) => {
    const query = Object.entries(route.query ?? {}).map(([word, value]) =>
      value === true ? word : `${word}=${value}`,
    );
    const path = { service: '/', bucket: '/{bucket}', object: '/{bucket}/{key}' }[route.scope];
    const target = query.length === 0 ? path : `${path}?${query.join('&')}`;
    const headers = Object.keys(route.header ?? {}).map((header) => ` with \`${header}\``);
    const { ours = 'yes', minio = 'yes', rgw = 'yes', hetzner = 'yes', aws = 'yes' } = elsewhere[name] ?? {};
    return `| ${name} | \`${route.method} ${target}\`${headers.join('')} | ${ours} | ${minio} | ${rgw} | ${hetzner} | ${aws} |`;
  });
  const claimed = new Set(
    operations.flatMap(({ route }) => [...Object.keys(route.query ?? {}), ...(route.allows ?? [])]),
  );
  const refused = knownSubresources.filter((word) => !claimed.has(word)).map((word) => `\`?${word}\``);
  return `| operation | request | ours | MinIO | Ceph RGW | Hetzner | AWS |\n|---|---|---|---|---|---|---|\n${rows.join('\n')}\n\nAnswered 501 NotImplemented with every method: ${refused.join(', ')}.\n`;
}
