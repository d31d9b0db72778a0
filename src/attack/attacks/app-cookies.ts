import { type Attack, expect } from '../attack.ts';
import { reachEchoingApp, repeated } from '../reached-app.ts';

/** Looks for doorcode's cookies in what the app received. An app that reads the session cookie can use it elsewhere. */
export const appCookies: Attack = {
  name: 'session cookie at the app',
  async run(scene) {
    const { app, session } = await reachEchoingApp(scene);
    const random = (length: number) => Buffer.from(scene.random(length)).toString('hex');
    const [name = '', value = ''] = session.split(/=(.*)/s);
    const own = [`first=${random(8)}`, `middle=${random(8)}==`, `doorcode=${random(8)}`, `last=${random(8)}`];
    const [first, middle, similar, last] = own;
    const planted = random(16);
    // Under every name of doorcode's, between those of the app, and twice.
    const names = ['__Host-', '__Secure-', ''].flatMap((prefix) =>
      ['session', 'challenge', 'notice', 'locale'].map((purpose) => `${prefix}doorcode-${purpose}`),
    );
    const others = names.filter((other) => other !== name).map((other) => `${other}=${planted}`);
    const cookies: Record<string, string> = {
      alone: session,
      'before others': [session, first, ...others, middle].join('; '),
      'between others': [first, session, middle, ...others, session, similar, last].join('; '),
      'without blanks': [first, session, ...others, middle].join(';'),
    };
    for (const [where, cookie] of Object.entries(cookies)) {
      const answer = await app.ask([
        ['Accept', '*/*'],
        ['Cookie', cookie],
      ]);
      const text = repeated(answer);
      expect(answer.status < 400, `the session ${where}: ${answer.status}`);
      for (const secret of new Set([value, decodeURIComponent(value)]))
        expect(!text.includes(secret), `the session ${where}: the app received its value`);
      expect(!text.includes(planted), `the session ${where}: the app received cookies of doorcode`);
      const seen = /(?:__Host-|__Secure-)?doorcode-(?:session|challenge|notice|locale)/i.exec(text)?.[0];
      expect(seen === undefined, `the session ${where}: the app received ${seen}`);
      for (const pair of own.filter((pair) => cookie.includes(pair))) {
        const [, sent = ''] = pair.split(/=(.*)/s);
        expect(
          text.includes(sent),
          `the session ${where}: the app's own cookie ${pair.split('=')[0]} is lost or changed`,
        );
      }
    }
    return `the app received no cookie of doorcode, and its own unchanged`;
  },
};
