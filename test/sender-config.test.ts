import { getCountries } from 'libphonenumber-js/max';
import t from 'tap';
import { readConfig } from '../src/config.ts';
import { type Environment, EnvironmentReader } from '../src/environment.ts';
import { readCountries, readDelivery, readSenders } from '../src/sender-config.ts';

const TWILIO = { TWILIO_ACCOUNT_SID: 'ACdemo', TWILIO_AUTH_TOKEN: 'twilio-token', TWILIO_NUMBER: '+15550100198' };
const PLIVO = { PLIVO_AUTH_ID: 'MADEMO', PLIVO_AUTH_TOKEN: 'plivo-token', PLIVO_NUMBER: '+15550100197' };
const SIGNALWIRE = {
  SIGNALWIRE_SPACE: 'example.signalwire.com',
  SIGNALWIRE_PROJECT: 'project',
  SIGNALWIRE_TOKEN: 'signalwire-token',
  SIGNALWIRE_NUMBER: '+15550100199',
};

function read(env: Environment) {
  const reader = new EnvironmentReader(env);
  return { senders: readSenders(reader), faults: reader.faults };
}

t.test('Twilio and Plivo need three settings each, and know their hosts', async (t) => {
  t.strictSame(read(TWILIO).senders.twilio, {
    host: 'api.twilio.com',
    account: 'ACdemo',
    token: 'twilio-token',
    number: '+15550100198',
  });
  t.strictSame(read(PLIVO).senders.plivo, {
    host: 'api.plivo.com',
    account: 'MADEMO',
    token: 'plivo-token',
    number: '+15550100197',
  });
});

t.test('another host can be told, alone it configures nothing', async (t) => {
  t.equal(read({ ...TWILIO, TWILIO_HOST: '127.0.0.1:8443' }).senders.twilio?.host, '127.0.0.1:8443');
  t.equal(read({ ...PLIVO, PLIVO_HOST: 'example.com' }).senders.plivo?.host, 'example.com');
  const { senders, faults } = read({ TWILIO_HOST: 'example.com', PLIVO_HOST: 'example.com' });
  t.strictSame(senders, { signalwire: undefined, twilio: undefined, plivo: undefined, webhook: undefined });
  t.strictSame(faults, []);
});

t.test('of an account, all settings or none', async (t) => {
  for (const account of [TWILIO, PLIVO]) {
    for (const missing of Object.keys(account)) {
      const { faults } = read({ ...account, [missing]: '' });
      t.match(faults, [`${missing}: is missing; `], missing);
      t.equal(faults.length, 1);
    }
  }
});

t.test('what cannot be is named', async (t) => {
  for (const [env, name] of [
    [{ ...TWILIO, TWILIO_ACCOUNT_SID: '../x' }, 'TWILIO_ACCOUNT_SID'],
    [{ ...TWILIO, TWILIO_NUMBER: '5550100198' }, 'TWILIO_NUMBER'],
    [{ ...TWILIO, TWILIO_HOST: 'https://api.twilio.com' }, 'TWILIO_HOST'],
    [{ ...PLIVO, PLIVO_AUTH_ID: 'a/b' }, 'PLIVO_AUTH_ID'],
    [{ ...PLIVO, PLIVO_NUMBER: '+0' }, 'PLIVO_NUMBER'],
    [{ ...PLIVO, PLIVO_HOST: 'me@api.plivo.com' }, 'PLIVO_HOST'],
    [{ ...SIGNALWIRE, SIGNALWIRE_SPACE: 'example.signalwire.com/' }, 'SIGNALWIRE_SPACE'],
  ] as const) {
    const { faults } = read(env);
    t.equal(faults.length, 1, faults.join());
    t.ok(faults[0]?.startsWith(`${name}: `), faults.join());
  }
});

t.test('a host is taken with its port, the default one included', async (t) => {
  for (const host of [
    'example.signalwire.com',
    'Example.SignalWire.com',
    'example.com:443',
    '127.0.0.1:8443',
    '[::1]',
  ]) {
    t.strictSame(read({ ...SIGNALWIRE, SIGNALWIRE_SPACE: host }).faults, [], host);
  }
});

t.test('tokens and the signing key come from files as well', async (t) => {
  const folder = t.testdir({ secret: 'from a file\n' });
  const file = `${folder}/secret`;
  const { senders, faults } = read({
    ...SIGNALWIRE,
    SIGNALWIRE_SIGNING_KEY_FILE: file,
    ...TWILIO,
    TWILIO_AUTH_TOKEN: '',
    TWILIO_AUTH_TOKEN_FILE: file,
    ...PLIVO,
    PLIVO_AUTH_TOKEN: '',
    PLIVO_AUTH_TOKEN_FILE: file,
  });
  t.strictSame(faults, []);
  t.equal(senders.signalwire?.signingKey, 'from a file');
  t.equal(senders.twilio?.token, 'from a file');
  t.equal(senders.plivo?.token, 'from a file');
});

t.test('senders are tried as DELIVERY lists them, or else in the order of the documentation', async (t) => {
  const all = { ...PLIVO, ...TWILIO, ...SIGNALWIRE };
  const delivery = (env: Environment) => {
    const reader = new EnvironmentReader(env);
    return [readDelivery(reader, true, readSenders(reader)), reader.faults];
  };
  t.strictSame(delivery(all), [['signalwire', 'twilio', 'plivo'], []]);
  t.strictSame(delivery({ ...all, DELIVERY: 'plivo,twilio' }), [['plivo', 'twilio'], []]);
  for (const [name, setting] of [
    ['twilio', 'TWILIO_ACCOUNT_SID'],
    ['plivo', 'PLIVO_AUTH_ID'],
  ]) {
    const [, faults] = delivery({ DELIVERY: name });
    t.strictSame(faults, [`${setting}: is missing; DELIVERY names ${name}`]);
  }
});

t.test('countries are two letters', async (t) => {
  const countries = (text: string) => {
    const reader = new EnvironmentReader({ ALLOWED_COUNTRIES: text });
    return [readCountries(reader), reader.faults.length];
  };
  t.strictSame(countries(''), [[], 0]);
  t.strictSame(countries('us, GB ,de,US'), [['US', 'GB', 'DE'], 0]);
  t.strictSame(countries('UK'), [['GB'], 0], 'as people write it');
  for (const bad of ['USA', 'United States', '+1', 'U', 'XX', 'EU', 'QQ', 'ZZ', 'U1']) {
    t.equal(countries(`US,${bad}`)[1], 1, bad);
  }
  t.equal(countries(getCountries().join())[1], 0, 'every country that has phone numbers');
});

t.test('receipts are asked for where providers can reach us', async (t) => {
  t.equal(readConfig({}).deliveryReceipts, false);
  t.equal(readConfig({ ORIGIN: 'https://login.example.com' }).deliveryReceipts, true);
  t.equal(readConfig({ ORIGIN: 'https://login.example.com', DELIVERY_RECEIPTS: 'off' }).deliveryReceipts, false);
  t.equal(readConfig({ DELIVERY_RECEIPTS: 'on' }).deliveryReceipts, true);
  t.throws(() => readConfig({ DELIVERY_RECEIPTS: 'maybe' }), /DELIVERY_RECEIPTS: must be one of/);
});
