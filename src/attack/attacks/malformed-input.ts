import { type Attack, expect } from '../attack.ts';
import { type Answer, inWords } from '../client.ts';
import { untouchedLogin } from '../kept.ts';

const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';
/** Refusals of a request as such. Anything else would mean that it was taken, and looked at. */
const REFUSALS = [400, 404, 405, 413, 414, 415, 431, 501];

/** Sends what is no proper request, with the right password or the right code in it: none may be taken for a proper one. */
export const malformedInput: Attack = {
  name: 'malformed input',
  async run(scene) {
    const { client } = scene;
    const { jar, message, account } = await untouchedLogin(scene);
    const { username, password } = account;
    const { code } = message;
    const raw = (path: string, body: string, type = JSON_TYPE): (() => Promise<Answer>) => {
      return () => client.post(path, body, { jar: jar.copy(), headers: { 'content-type': type } });
    };
    const tooMuch = JSON.stringify({ otp: code, more: [code] });
    const json = (path: string, body: unknown) => raw(path, JSON.stringify(body));

    const tries: Record<string, () => Promise<Answer>> = {
      'a blank behind the code': json('/otp', { otp: `${code} ` }),
      'a blank before it': json('/otp', { otp: ` ${code}` }),
      'a newline behind it': json('/otp', { otp: `${code}\n` }),
      'a null byte behind it': json('/otp', { otp: `${code}\0` }),
      'digits of another script': json('/otp', {
        otp: code.replaceAll(/\d/g, (d) => String.fromCodePoint(0xff10 + Number(d))),
      }),
      'a list of codes': json('/otp', { otp: [code] }),
      'a list of two': json('/otp', { otp: [code, code] }),
      'a number': json('/otp', { otp: Number(code) }),
      'an object': json('/otp', { otp: { $ne: null } }),
      'one member too many': json('/otp', { otp: code, username }),
      'a member named twice': raw('/otp', `{"otp":"${code}","otp":"${code}"}`),
      'a __proto__ member': raw('/otp', `{"otp":"${code}","__proto__":{"admin":true}}`),
      'a constructor member': raw('/otp', `{"otp":"${code}","constructor":{"prototype":{"admin":true}}}`),
      'broken JSON': raw('/otp', `{"otp":"${code}"`),
      'JSON that is a list': raw('/otp', `[{"otp":"${code}"}]`),
      'JSON that is null': raw('/otp', 'null'),
      'deep JSON': raw('/otp', `${'['.repeat(5000)}${']'.repeat(5000)}`),
      'a body of 20 kB': json('/otp', { otp: code, pad: 'x'.repeat(20_000) }),
      'a field named twice in a form': raw('/otp', `otp=${code}&otp=${code}`, FORM),
      'a list in a form': raw('/otp', `otp[]=${code}`, FORM),
      // The body must be refused for its second member, whatever the type is taken for.
      'a tab in Content-Type': raw('/otp', tooMuch, `${JSON_TYPE}\t; charset=utf-8`),
      'a tab behind the type': raw('/otp', tooMuch, `${JSON_TYPE}\t`),
      'plain text': raw('/otp', JSON.stringify({ otp: code }), 'text/plain'),
      'a type of its own': raw('/otp', JSON.stringify({ otp: code }), 'application/json-seq'),
      multipart: raw(
        '/otp',
        `--x\r\ncontent-disposition: form-data; name="otp"\r\n\r\n${code}\r\n--x--\r\n`,
        'multipart/form-data; boundary=x',
      ),
      'a list of usernames': json('/login', { username: [username, 'admin'], password }),
      'a list as password': json('/login', { username, password: [password] }),
      'an object as password': json('/login', { username, password: { $gt: '' } }),
      'no password': json('/login', { username }),
      'null as password': json('/login', { username, password: null }),
      'a password of 2 kB': json('/login', { username, password: 'x'.repeat(2048) }),
      'a channel that there is not': json('/login', { username, password, channel: 'email' }),
      'somebody else to send to': json('/login', { username, password, email: ['a@example.com', 'b@example.com'] }),
      'a phone of the own choice': json('/login', { username, password, phone: '+15550100199' }),
      'a null byte in the path': () => client.get('/session%00', {}),
      'a path out of the root': () => client.get('/%2e%2e/%2e%2e/etc/passwd', {}),
      'a broken escape in the path': () => client.get('/%zz', {}),
      'a cookie of 20 kB': () => client.get('/session', { headers: { cookie: `x=${'x'.repeat(20_000)}` } }),
    };
    for (const [what, ask] of Object.entries(tries)) {
      const answer = await ask();
      // A connection may be cut before the whole of something huge is sent.
      const refused = REFUSALS.includes(answer.status) || (answer.status === 0 && what.endsWith('kB'));
      expect(refused, `${what}: ${inWords(answer)}`);
    }
    const alive = await client.get('/login', {});
    expect(alive.status === 200, `after all that, /login answers ${inWords(alive)}`);
    return `${Object.keys(tries).length} of them, each refused with a 4xx; it still serves`;
  },
};
