/** The npm servers. They are installed by the bench into its own cache and are never a dependency of the product. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cacheDirectory } from '../paths.ts';
import { credentials, freePort, type Server, ServerUnavailable, type StartOptions, startProcess } from './server.ts';

const versions = { s3rver: '3.7.1', fauxqs: '2.4.1', node: '24.21.0' };
/** fauxqs needs Node >= 22.5; this npm package is a Node binary and nothing else. */
const nodePackage = `node-${process.platform}-${process.arch}`;
const peers = join(cacheDirectory, 'peers');
const modules = join(peers, 'node_modules');

function install(): void {
  const wanted = { s3rver: versions.s3rver, fauxqs: versions.fauxqs, [nodePackage]: versions.node };
  if (Object.keys(wanted).every((name) => existsSync(join(modules, name, 'package.json')))) return;
  mkdirSync(peers, { recursive: true });
  writeFileSync(join(peers, 'package.json'), JSON.stringify({ private: true, dependencies: wanted }));
  process.stderr.write(`bench: installing ${Object.keys(wanted).join(', ')} into its cache\n`);
  // No engine check: it would look at the Node that npm runs on, not at the one fauxqs is given. No install scripts:
  // neither peer has one that it needs.
  const npm = spawnSync('npm', ['install', '--engine-strict=false', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: peers,
    encoding: 'utf8',
    timeout: 180_000,
  });
  if (npm.status !== 0) throw new ServerUnavailable(`npm could not install the peers: ${npm.stderr.trim()}`);
}

export async function startS3rver({ directory }: StartOptions): Promise<Server> {
  install();
  const port = await freePort();
  // Its command knows one built-in key pair only; the library takes ours.
  const starter = `
    require('s3rver/lib/models/account').DUMMY_ACCOUNT.createKeyPair(process.argv[1], process.argv[2]);
    new (require('s3rver'))({ port: Number(process.argv[3]), address: '127.0.0.1', directory: process.argv[4], silent: true })
      .run().catch((error) => { console.error(error); process.exit(1); });`;
  return startProcess({
    id: 's3rver',
    label: `s3rver ${versions.s3rver}: files, no fsync, checks no V4 signature`,
    port,
    command: process.execPath,
    args: ['-e', starter, credentials.accessKeyId, credentials.secretAccessKey, String(port), directory],
    cwd: peers,
    directory,
  });
}

export async function startFauxqs({ directory }: StartOptions): Promise<Server> {
  install();
  const port = await freePort();
  return startProcess({
    id: 'fauxqs',
    label: `fauxqs ${versions.fauxqs} on Node ${versions.node}: memory only, checks no signature`,
    port,
    command: join(modules, nodePackage, 'bin', 'node'),
    args: [
      '--import',
      new URL('./loopback-only.js', import.meta.url).href,
      '--input-type=module',
      '-e',
      `import { startFauxqs } from ${JSON.stringify(pathToFileURL(join(modules, 'fauxqs', 'dist', 'app.js')).href)};
       await startFauxqs({ logger: false, port: ${port} });`,
    ],
    directory,
  });
}
