import t from 'tap';
import { CookieJar } from '../../src/attack/jar.ts';

t.test('a jar keeps the newest cookie of a name, and forgets what is taken back', async (t) => {
  const jar = new CookieJar();
  t.equal(jar.header, '');
  jar.store(['a=1; Path=/', '__Host-doorcode-challenge=x%3D=; HttpOnly']);
  jar.store(['a=2; Path=/; Max-Age=60']);
  t.equal(jar.header, 'a=2; __Host-doorcode-challenge=x%3D=');
  jar.store(['a=; Path=/; max-age=0; HttpOnly']);
  t.equal(jar.header, '__Host-doorcode-challenge=x%3D=');
});

t.test('a cookie is found by the end of its name', async (t) => {
  const jar = new CookieJar([['__Host-doorcode-challenge', 'x']]);
  t.strictSame(jar.find('doorcode-challenge'), { name: '__Host-doorcode-challenge', value: 'x' });
  t.equal(jar.find('doorcode-session'), undefined);
});

t.test('a copy goes its own way', async (t) => {
  const jar = new CookieJar([['a', '1']]);
  const copy = jar.copy();
  copy.store(['a=2']);
  t.strictSame([jar.header, copy.header], ['a=1', 'a=2']);
});
