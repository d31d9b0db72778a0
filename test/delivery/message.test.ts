import t from 'tap';
import { createComposer } from '../../src/delivery/message.ts';
import { segmentInfo } from '../../src/delivery/sms-segment.ts';
import { silentLog } from '../../src/log.ts';

const texts = {
  en: { sms: '{code} is your {app} code.', voice: 'Your {app} code is: {code}.' },
  de: { sms: '{code} ist Ihr Code für {app}.', voice: 'Ihr Code für {app} lautet: {code}.' },
  pt: { sms: '{app}: o código é {code}.', voice: 'O código de {app}: {code}.' },
  'pt-BR': { sms: '{app}: seu código é {code}.', voice: 'Seu código de {app}: {code}.' },
  zh: { sms: '{code} 是您的 {app} 验证码。', voice: '您的 {app} 验证码是：{code}。' },
};
const options = { texts, appName: 'Demo', host: 'login.example.com', log: silentLog };
const outgoing = { channel: 'sms', to: '+15550100101', code: '012345', locale: 'en', expiresAt: 60 } as const;

t.test('a text message ends with the line that phones fill the code in from', async (t) => {
  const compose = createComposer(options);
  t.strictSame(compose(outgoing), {
    ...outgoing,
    text: '012345 is your Demo code.\n@login.example.com #012345',
  });
});

t.test('every field of a message is kept, also one that the composer does not know', async (t) => {
  const compose = createComposer(options);
  const trace = { requestId: 'r1', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };
  for (const channel of ['sms', 'voice'] as const) {
    const sent = { ...outgoing, channel, trace, later: 'a field of a later version' };
    t.match(compose(sent), sent);
    t.equal(compose(sent).trace, trace);
  }
});

t.test('the last line is as the specification parses it', async (t) => {
  // https://wicg.github.io/sms-one-time-codes/#parsing
  const compose = createComposer(options);
  for (const locale of Object.keys(texts)) {
    const { text } = compose({ ...outgoing, locale });
    const [, host, code] = /^@([^\s]+) #([^\s]+)$/.exec(text.split('\n').at(-1) ?? '') ?? [];
    t.strictSame([host, code], ['login.example.com', '012345'], locale);
  }
});

t.test('every message fits one segment', async (t) => {
  const compose = createComposer(options);
  for (const locale of Object.keys(texts)) t.ok(segmentInfo(compose({ ...outgoing, locale }).text).fits, locale);
});

t.test('a call says the digits one by one, three times', async (t) => {
  const compose = createComposer(options);
  const { text, channel } = compose({ ...outgoing, channel: 'voice' });
  t.equal(channel, 'voice');
  t.equal(text, 'Your Demo code is: 0, 1, 2, 3, 4, 5. 0, 1, 2, 3, 4, 5. 0, 1, 2, 3, 4, 5.');
});

t.test('the language is the nearest that there is, and the message tells which', async (t) => {
  const compose = createComposer(options);
  for (const [wanted, found] of [
    ['de', 'de'],
    ['de-AT', 'de'],
    ['DE-at', 'de'],
    ['pt-BR', 'pt-BR'],
    ['pt-br', 'pt-BR'],
    ['pt-PT', 'pt'],
    ['zh-Hant-TW', 'zh'],
    ['it', 'en'],
    ['', 'en'],
    ['__proto__', 'en'],
    ['constructor', 'en'],
  ] as const) {
    const { locale, text } = compose({ ...outgoing, locale: wanted });
    t.equal(locale, found, wanted);
    t.equal(text.split('\n')[0], texts[found].sms.replace('{code}', '012345').replace('{app}', 'Demo'));
  }
});

t.test('a name with a placeholder in it stays a name', async (t) => {
  const compose = createComposer({ ...options, appName: '{code} $& {app}' });
  t.match(compose(outgoing).text, /^012345 is your \{code\} \$& \{app\} code\.\n/);
});

t.test('what could not be sent is refused at once, all faults together', async (t) => {
  t.throws(() => createComposer({ ...options, host: `${'a'.repeat(120)}.example` }), {
    message: /^the SMS of "en" takes 163 of 160 characters \(gsm7\) with this name and host$/,
  });
  t.throws(() => createComposer({ ...options, host: `${'a'.repeat(120)}.example`, appName: 'a\nb' }), {
    message: /one line of visible characters; the SMS of "en" takes/,
  });
  t.throws(() => createComposer({ ...options, appName: 'Ďemo', host: 'login.accounts.department.example.com' }), {
    message: /"en" takes \d+ of 70 characters \(ucs2\)/,
  });
  for (const [what, changes, message] of [
    ['no English', { texts: { de: texts.de } }, 'there are no texts for "en"'],
    ['no code', { texts: { en: { ...texts.en, sms: 'Hello' } } }, 'sms text of "en" must have {code} exactly once'],
    [
      'the code twice',
      { texts: { en: { ...texts.en, voice: '{code}, {code}' } } },
      'voice text of "en" must have {code} exactly once',
    ],
    [
      'an unknown placeholder',
      { texts: { en: { ...texts.en, sms: '{code} {name}' } } },
      'sms text of "en" has an unknown placeholder {name}',
    ],
    ['an empty name', { appName: '' }, 'the app name must be one line of visible characters'],
    ['a name of two lines', { appName: 'a\nb' }, 'the app name must be one line of visible characters'],
    ['a port', { host: 'localhost:3000' }, 'the host must be a host name without a port'],
    ['an origin', { host: 'https://login.example' }, 'the host must be a host name without a port'],
    ['a blank', { host: 'a b' }, 'the host must be a host name without a port'],
    ['no host', { host: '' }, 'the host must be a host name without a port'],
  ] as const) {
    t.throws(() => createComposer({ ...options, ...changes }), { message }, what);
  }
});

t.test(
  'a language that does not fit one SMS gets the nearest that does, for text messages, and it is told',
  async (t) => {
    const warnings: { fields: object; message: string }[] = [];
    const log = { ...silentLog, warn: (fields: object, message: string) => void warnings.push({ fields, message }) };
    const compose = createComposer({ ...options, appName: 'A rather long app name', log });
    t.match(warnings, [
      { fields: { locales: ['pt-BR takes 71 of 70 characters (ucs2)'] }, message: /English is sent/ },
    ]);
    t.match(compose({ ...outgoing, locale: 'pt-BR' }), { locale: 'pt', text: /: o código é 012345\.\n@/ });
    t.match(compose({ ...outgoing, locale: 'pt-BR', channel: 'voice' }), { locale: 'pt-BR', text: /^Seu código/ });

    const long = createComposer({ ...options, appName: 'An app name of quite some length', log });
    t.match(warnings[1]?.fields, { locales: [/^pt takes/, /^pt-BR takes/] });
    for (const locale of ['pt', 'pt-BR', 'pt-PT']) {
      const message = long({ ...outgoing, locale });
      t.match(message, { locale: 'en', text: /^012345 is your An app name of quite some length code\.\n@/ }, locale);
      t.ok(segmentInfo(message.text).fits);
    }
    t.match(long({ ...outgoing, locale: 'de' }), { locale: 'de' }, 'the others stay');
  },
);

t.test('the length of the codes counts', async (t) => {
  const locale = (digits: number) => {
    const compose = createComposer({ ...options, appName: 'x'.repeat(10), digits });
    return compose({ ...outgoing, locale: 'pt', code: '0'.repeat(digits) }).locale;
  };
  t.strictSame([locale(6), locale(14)], ['pt', 'en']);
});
