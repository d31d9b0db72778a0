// A replica for bench/rolling-restart.mjs --patient, on a machine that has other work. Unlike dist/main.js it does not cut
// off requests that are still in flight eight seconds after SIGTERM, and waits longer than 200 ms for a reply of Redis.
import { serve } from '../dist/serve.js';

const service = await serve({
  env: process.env,
  write: (line) => process.stdout.write(`${line}\n`),
  redisTimeoutMs: 60_000,
});
process.once('SIGTERM', () => service.close(2000, 120_000).then(() => process.exit(0)));
