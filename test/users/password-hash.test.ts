import { hash } from '@node-rs/argon2';
import t from 'tap';
import { parameterLimits, readParameters } from '../../src/users/password-hash.ts';

const salt = 'c29tZXNhbHQ';
const tag = 'CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
const phc = (parameters: string) => `$argon2id$v=19$${parameters}$${salt}$${tag}`;

t.test('the cost of a hash is read from it', async (t) => {
  t.same(readParameters(phc('m=65536,t=2,p=4')), { memoryKib: 65_536, passes: 2, lanes: 4 });
  t.same(readParameters(await hash('x', { memoryCost: 8, timeCost: 1 })), { memoryKib: 8, passes: 1, lanes: 1 });
  t.same(readParameters(phc('m=1048576,t=32,p=16')), parameterLimits, 'the most there may be');
});

t.test('what is no argon2id hash, or costs too much, has none', async (t) => {
  for (const wrong of [
    '',
    'demo',
    'password',
    '$2b$12$abcdefghijklmnopqrstuuE1xyzabcdefghijklmnopqrstuvwxyzab',
    phc('m=65536,t=2,p=4').replace('argon2id', 'argon2i'),
    phc('m=65536,t=2,p=4').replace('argon2id', 'argon2d'),
    phc('m=65536,t=2,p=4').replace('v=19', 'v=16'),
    phc('m=65536,t=2,p=4').replace('$v=19', ''),
    phc('t=2,m=65536,p=4'),
    phc('m=65536,t=2,p=4,keyid=YQ'),
    phc('m=65536,t=2'),
    phc('m=7,t=1,p=1'),
    phc('m=65536,t=0,p=1'),
    phc('m=65536,t=2,p=0'),
    phc('m=1048577,t=2,p=1'),
    phc('m=4000000000,t=2,p=1'),
    phc('m=99999999999,t=2,p=1'),
    phc('m=65536,t=33,p=1'),
    phc('m=65536,t=2,p=17'),
    `${phc('m=65536,t=2,p=4')}=`,
    `${phc('m=65536,t=2,p=4')}\n`,
    ` ${phc('m=65536,t=2,p=4')}`,
    `$argon2id$v=19$m=65536,t=2,p=4$YWJj$${tag}`,
    `$argon2id$v=19$m=65536,t=2,p=4$${salt}$YWJj`,
    `$argon2id$v=19$m=65536,t=2,p=4$${salt}`,
    `$argon2id$v=19$m=65536,t=2,p=4$$${tag}`,
  ]) {
    t.equal(readParameters(wrong), null, JSON.stringify(wrong));
  }
});
