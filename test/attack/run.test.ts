import t from 'tap';
import { attackAt, inboxSettings, named } from '../support/attacking.ts';
import { testBuild } from '../support/test-build.ts';

t.test('a default start with a webhook passes', async (t) => {
  const build = await testBuild(t);
  const { port, env } = await inboxSettings();
  const { url } = await build.start(env);
  const { findings, exitCode, lines } = await attackAt(url, port, build.clock);
  for (const line of lines) t.comment(line);
  t.strictSame(named(findings, 'failed'), []);
  t.strictSame(named(findings, 'skipped'), ['guessing over many codes']);
  t.equal(exitCode, 0);
});
