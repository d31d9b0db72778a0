import t from 'tap';
import { readBasicCredentials } from '../../src/phone-simulator/basic-credentials.ts';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

t.test('user and password are read; only the first colon parts them', async (t) => {
  t.strictSame(readBasicCredentials(basic('project:token')), { user: 'project', password: 'token' });
  t.strictSame(readBasicCredentials(basic('project:to:k=en')), { user: 'project', password: 'to:k=en' });
  t.strictSame(readBasicCredentials(basic('a:b').replace('Basic', 'basic ')), { user: 'a', password: 'b' });
});

t.test('what is not both is nothing', async (t) => {
  for (const header of [
    undefined,
    '',
    'Basic',
    'Basic ?',
    'Bearer abc',
    basic(''),
    basic('project'),
    basic('project:'),
    basic(':token'),
  ]) {
    t.equal(readBasicCredentials(header), null, String(header));
  }
});
