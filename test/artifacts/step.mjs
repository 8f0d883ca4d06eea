// One step of the store in a process of its own, which kills itself at its n-th request: before it is sent, or after its
// answer came. Settings come by the environment: TEST_STEP, TEST_KILL (0: never), TEST_WHEN, TEST_CLOCK and S3_….
// It imports what the package exports, as an embedder does.
import { artifacts } from 'bucketwright/artifacts';
import { createClient, parseSettings, resolveConnection } from 'bucketwright/client';

const { TEST_STEP, TEST_KILL, TEST_WHEN, TEST_CLOCK, TEST_BUCKET, TEST_PREFIX, TEST_PATH, TEST_VERSION, TEST_TICKET } =
  process.env;
const { storage } = parseSettings({ environment: process.env, flags: new Map() });
const connection = resolveConnection(storage);
const client = createClient(connection);
let requests = 0;
const die = () => process.kill(process.pid, 'SIGKILL');
async function* dieAfterFirst(list) {
  for await (const _ of list) die();
  die();
  yield;
}
const fatal = new Proxy(client, {
  get(target, name) {
    const method = target[name];
    if (typeof method !== 'function' || name === 'close' || name === 'presign') return method;
    return (request) => {
      requests += 1;
      if (requests === Number(TEST_KILL)) {
        if (TEST_WHEN === 'before') die();
        const answer = method.call(target, request);
        return answer instanceof Promise ? answer.finally(die) : dieAfterFirst(answer);
      }
      return method.call(target, request);
    };
  },
});
const store = artifacts({
  client: fatal,
  bucket: TEST_BUCKET,
  prefix: TEST_PREFIX,
  provider: connection.provider,
  clock: { now: () => Date.now() + Number(TEST_CLOCK ?? 0) },
});
const name = 'killed';
switch (TEST_STEP) {
  case 'push':
    await store.push({ name, version: TEST_VERSION, path: TEST_PATH });
    break;
  case 'promote':
    await store.promote({ reference: { by: 'version', name, version: TEST_VERSION }, channel: 'live', by: 'test' });
    break;
  case 'finish':
    await store.finishUpload(TEST_TICKET);
    break;
  case 'gc':
    await store.applyGc(await store.planGc({ versions: 0, entries: 1, grace: 3_600_000 }));
    break;
  case 'pull':
    await store.pull({ artifact: (await store.resolve(`${name}:${TEST_VERSION}`)).artifact, target: TEST_PATH });
    break;
}
client.close();
