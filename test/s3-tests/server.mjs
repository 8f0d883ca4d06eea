// The embedded server with the users that the suite wants: main (root), alt and tenant, each the owner of its buckets.
import { createServer } from 'node:http';
import { systemClock } from '../../dist/core/clock.js';
import { silentLogger } from '../../dist/core/logger.js';
import { Secret } from '../../dist/core/secret.js';
import { createS3Service } from '../../dist/s3/index.js';
import { openLocalStore } from '../../dist/store/index.js';

const [directory, port] = process.argv.slice(2);
const names = ['root', 'alt', 'tenant'];
const users = new Map(
  names.map((name) => [
    `${name.toUpperCase()}KEY${'0'.repeat(10)}`,
    { principal: name, secret: new Secret(`${name}-secret-of-the-suite`) },
  ]),
);
const store = await openLocalStore({ directory, lifecycleDay: 10_000 });
const logger = { ...silentLogger, error: (fields, text) => console.error(text, fields) };
const service = createS3Service({
  store,
  credentials: { find: (id) => users.get(id) },
  // The suite is of before S3 switched ACLs off by default.
  objectOwnership: 'ObjectWriter',
  accounts: {
    account: (id) => (names.includes(id) ? { id, displayName: id } : undefined),
    accountByEmail: (email) =>
      names.map((id) => ({ id, displayName: id })).find(({ id }) => email === `${id}@localhost`),
  },
  region: 'us-east-1',
  clock: systemClock,
  logger,
  observe() {},
});
const server = createServer(service);
server.on('checkContinue', service);
server.listen(Number(port), '127.0.0.1', () => console.log('ready'));
process.on('SIGTERM', async () => {
  server.closeAllConnections();
  server.close();
  await store.close();
  process.exit(0);
});
