// The embedded server with the accounts that the suite wants: main (root), alt and tenant, each the owner of its buckets,
// with ACLs as the suite expects them (a bucket of today's S3 has none), and with days of ten seconds.
import { systemClock } from '../../dist/core/clock.js';
import { silentLogger } from '../../dist/core/logger.js';
import { Secret } from '../../dist/core/secret.js';
import { createS3Service } from '../../dist/s3/index.js';
import { listen } from '../../dist/server/listener.js';
import { openLocalStore } from '../../dist/store/index.js';

const [directory, port] = process.argv.slice(2);
const names = ['root', 'alt', 'tenant'];
const keys = new Map(
  names.map((name) => [
    `${name.toUpperCase()}KEY${'0'.repeat(10)}`,
    { principal: name, secret: new Secret(`${name}-secret-of-the-suite`) },
  ]),
);
const account = (id) => (names.includes(id) ? { id, displayName: id } : undefined);
const store = await openLocalStore({ directory, lifecycleDay: 10_000 });
const logger = { ...silentLogger, error: (fields, text) => console.error(text, fields) };
const service = createS3Service({
  store,
  credentials: { find: (id) => keys.get(id) },
  accounts: { account, accountByEmail: (email) => account(email.replace(/@localhost$/, '')) },
  objectOwnership: 'ObjectWriter',
  region: 'us-east-1',
  clock: systemClock,
  logger,
  observe() {},
});
const listener = await listen({ host: '127.0.0.1', port: Number(port) }, service);
console.log('ready');
process.on('SIGTERM', async () => {
  await listener.drain(0);
  await store.close();
  process.exit(0);
});
