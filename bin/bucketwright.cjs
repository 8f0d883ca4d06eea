#!/usr/bin/env node
// CommonJS, because this must run before anything is imported: the first use of the thread pool fixes its size. Four
// threads, Node's default, would be held by four fsyncs while every other file operation waits. Backups pack on them, and
// each keeps memory for that.
process.env.UV_THREADPOOL_SIZE ??= process.argv[2] === 'backup' ? '4' : '16';
// V8's compiler would let long work die of SIGSEGV (docs/decisions/0142-no-folded-allocations.md).
require('node:v8').setFlagsFromString('--no-turbo-allocation-folding');
// The space for young objects would double again and again while hundreds of small answers come in: 104 instead of 127 MiB for
// a plan of 100 buckets, in the same CPU time. V8 reads this number when it would grow, and modules make it grow already. So it
// is with the pages of a backup: 10 to 20 of 300 MiB, in the same time.
if (process.argv[2] === 'provision' || process.argv[2] === 'backup')
  require('node:v8').setFlagsFromString('--semi-space-growth-factor=1');
// The AWS SDK would print five lines about its own future in front of every answer.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

import('../dist/bundle/main.js').catch((error) => {
  const missing = error?.code === 'ERR_MODULE_NOT_FOUND' && /dist[\\/]bundle[\\/]main\.js/.test(String(error.message));
  console.error(missing ? 'bucketwright: not built yet; run `npm run build` (script/up does)' : error);
  process.exitCode = 1;
});
