import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readBrand } from '../src/brand-config.ts';
import { EnvironmentReader } from '../src/environment.ts';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const SVG = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>';

function read(env: Record<string, string>) {
  const reader = new EnvironmentReader(env);
  return { brand: readBrand(reader), faults: reader.faults };
}

t.test('without settings there is a colour, and the name instead of a logo', async (t) => {
  const { brand, faults } = read({});
  t.strictSame(faults, []);
  t.equal(brand.logo, undefined);
  t.match(brand.palette.light.face, /^#[0-9a-f]{6}$/);
});

t.test('a colour is taken in either form, or refused by name', async (t) => {
  t.equal(read({ BRAND_COLOR: '#06C' }).brand.palette.light.face, '#0066cc');
  t.strictSame(read({ BRAND_COLOR: '#0066cc' }).faults, []);
  t.match(read({ BRAND_COLOR: 'blue' }).faults, ['BRAND_COLOR: must be a colour such as #2456d6']);
  const yellow = read({ BRAND_COLOR: '#ffd400' });
  t.match(yellow.faults, [
    /^BRAND_COLOR: has a contrast of 1\.\d:1 to white, and a button needs 3:1 to be seen; #[0-9a-f]{6} would do$/,
  ]);
  t.strictSame(yellow.brand.palette, read({}).brand.palette, 'the default meanwhile');
});

const folder = (t: Test) =>
  t.testdir({
    'logo.svg': SVG,
    'logo.png': PNG,
    'logo.txt': 'no picture',
    'large.png': Buffer.concat([PNG, Buffer.alloc(65 * 1024)]),
  });

t.test('a logo from a file is what it is, not what it is called', async (t) => {
  const dir = folder(t);
  t.match(read({ LOGO_FILE: join(dir, 'logo.svg') }).brand.logo, { ending: 'svg', type: 'image/svg+xml' });
  const { brand, faults } = read({ LOGO_FILE: join(dir, 'logo.png') });
  t.match(brand.logo, { ending: 'png', type: 'image/png', content: PNG });
  t.strictSame(faults, []);
});

t.test('a logo that cannot be shown is refused by name', async (t) => {
  const dir = folder(t);
  const table: [Record<string, string>, string][] = [
    [{ LOGO_FILE: join(dir, 'none.svg') }, 'LOGO_FILE: the file cannot be read (ENOENT)'],
    [{ LOGO_FILE: dir }, 'LOGO_FILE: the file cannot be read (EISDIR)'],
    [{ LOGO_FILE: join(dir, 'logo.txt') }, 'LOGO_FILE: must be an SVG or a PNG'],
    [{ LOGO_FILE: join(dir, 'large.png') }, 'LOGO_FILE: the file has more than 64 KiB'],
    [{ LOGO_URL: 'http://cdn.example.com/logo.svg' }, 'LOGO_URL: must be https'],
    [{ LOGO_URL: 'logo.svg' }, 'LOGO_URL: must be an http or https URL without credentials'],
    [
      { LOGO_URL: 'https://cdn.example.com/logo.svg', LOGO_FILE: join(dir, 'logo.svg') },
      'LOGO_FILE: set either LOGO_URL or LOGO_FILE, not both',
    ],
  ];
  for (const [env, fault] of table) t.strictSame(read(env).faults, [fault]);
});
