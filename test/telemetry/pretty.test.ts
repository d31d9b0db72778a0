import t from 'tap';
import { createLogger } from '../../src/http/logging.ts';
import { prettyLines } from '../../src/telemetry/pretty.ts';

t.test('lines that a person can read: time, level, what happened, fields', async (t) => {
  const lines: string[] = [];
  const logger = createLogger({ level: 'trace', destination: prettyLines((line) => void lines.push(line)) });
  logger.info({ event: 'authn_login_success', outcome: 'ok', ageMs: 12, reqId: 'x-1' }, 'authn_login_success:h');
  logger.trace({}, 'nothing more');
  logger.error({ err: new Error('broken for +15550100101') }, 'failed');
  const plain = lines.map((line) => line.replaceAll(/\u001b\[\d+m/g, ''));
  t.match(plain[0], /^\d\d:\d\d:\d\d info {2}authn_login_success:h outcome=ok ageMs=12\n$/);
  t.match(plain[1], /^\d\d:\d\d:\d\d trace nothing more\n$/);
  t.match(plain[2], /^\d\d:\d\d:\d\d error failed\nError: broken for \[digits\]\n {4}at /);
  t.match(lines[0], '\u001b[32minfo');
});
