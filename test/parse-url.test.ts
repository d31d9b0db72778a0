import t from 'tap';
import { parseUrl } from '../src/parse-url.ts';

t.test('a URL is parsed, with or without a base, and other text is not', async (t) => {
  t.equal(parseUrl('https://example.com/a')?.href, 'https://example.com/a');
  t.equal(parseUrl('/a', 'https://example.com')?.href, 'https://example.com/a');
  for (const text of ['', '/a', 'example.com', 'https://', 'https://a b', 'https://example.com:99999']) {
    t.equal(parseUrl(text), undefined, text);
  }
});

t.test('a host name of another script is parsed the ten-thousandth time as well', async (t) => {
  const url = 'https://app.bücher.example/';
  let parsed = 0;
  for (let call = 0; call < 10_000; call += 1) if (parseUrl(url)?.hostname === 'app.xn--bcher-kva.example') parsed += 1;
  t.equal(parsed, 10_000);
});
