// A replica for bench/rolling-restart.mjs --patient. Unlike dist/main.js it does not cut off requests that are still in
// flight eight seconds after SIGTERM: on a machine that has other work an answer may take longer.
import { serve } from '../dist/serve.js';

const service = await serve({ env: process.env, write: (line) => process.stdout.write(`${line}\n`) });
process.once('SIGTERM', () => service.close(2000, 120_000).then(() => process.exit(0)));
