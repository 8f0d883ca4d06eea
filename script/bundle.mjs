/**
 * Puts the built command line and what it imports into a few files, `dist/bundle/`: a start that reads 900 modules one
 * by one takes a second of CPU (docs/decisions/0143-bundled-command-line.md). Runs after tsc, on what tsc wrote.
 *
 * Entries lie flat beside each other, since `./member.js`, `./body-worker.js` and `./blob-worker.js` are started by a URL
 * beside their caller's. What has native parts, or starts threads from files of its own, stays a package.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const target = join(dist, 'bundle');

const bundle = await rolldown({
  input: {
    main: join(dist, 'cli/main.js'),
    member: join(dist, 'server/member.js'),
    'body-worker': join(dist, 'store/body/body-worker.js'),
    'blob-worker': join(dist, 'backup/repository/blob-worker.js'),
  },
  platform: 'node',
  external: [/^lmdb$/, /^@node-rs\/crc32$/, /^pino$/],
  logLevel: 'warn',
});
rmSync(target, { recursive: true, force: true });
const { output } = await bundle.write({ dir: target, entryFileNames: '[name].js', chunkFileNames: '[name].js' });
await bundle.close();

const packages = new Set();
for (const id of output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))) {
  const directory = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0];
  if (directory !== undefined) packages.add(directory);
}
writeFileSync(
  join(target, 'NOTICES.txt'),
  [...packages]
    .sort()
    .map(notice)
    .join(`\n${'-'.repeat(80)}\n\n`),
);

/** Name, version and licence of a package whose code the bundle holds: most licences ask for that. */
function notice(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const files = readdirSync(directory).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  const texts = files.map((file) => readFileSync(join(directory, file), 'utf8').trim());
  return `${[`${name} ${version} (${license})`, ...texts].join('\n\n')}\n`;
}
