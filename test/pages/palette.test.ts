import t from 'tap';
import { contrast, paletteOf, papers } from '../../src/pages/palette.ts';

t.test('contrast is that of WCAG 2.2', async (t) => {
  // https://www.w3.org/WAI/WCAG22/Techniques/general/G18, and its well-known examples.
  const known: [string, string, number][] = [
    ['#000000', '#ffffff', 21],
    ['#ffffff', '#ffffff', 1],
    ['#777777', '#ffffff', 4.48],
    ['#767676', '#ffffff', 4.54],
    ['#ff0000', '#ffffff', 4.0],
    ['#0000ff', '#ffffff', 8.59],
    ['#ffff00', '#000', 19.56],
  ];
  for (const [one, other, ratio] of known) {
    t.equal(contrast(one, other).toFixed(1), ratio.toFixed(1), `${one} ${other}`);
    t.equal(contrast(other, one), contrast(one, other));
  }
});

t.test('whatever colour is taken, everything on both papers can be read', async (t) => {
  const parts = ['00', '33', '66', '99', 'cc', 'ff'];
  const colours = parts.flatMap((red) => parts.flatMap((green) => parts.map((blue) => `#${red}${green}${blue}`)));
  let taken = 0;
  for (const colour of colours) {
    try {
      const palette = paletteOf(colour);
      taken += 1;
      for (const scheme of ['light', 'dark'] as const) {
        const { face, onFace, link } = palette?.[scheme] ?? { face: '', onFace: '', link: '' };
        const ratios = [
          [contrast(onFace, face), 4.5],
          [contrast(face, papers[scheme]), 3],
          [contrast(link, papers[scheme]), 4.5],
        ];
        for (const [ratio = 0, needed = 0] of ratios) if (ratio < needed) t.fail(`${colour}, ${scheme}: ${ratio}`);
      }
    } catch (error) {
      t.ok(contrast(colour, '#fff') < 3, `${colour} is refused for a reason`);
      const nearest = /; (#\w{6}) would do$/.exec((error as Error).message)?.[1] ?? '';
      t.ok(paletteOf(nearest), `${nearest} for ${colour}`);
    }
  }
  t.ok(taken > 100, String(taken));
});

t.test('a brand’s own colour is on its buttons, on light paper', async (t) => {
  t.match(paletteOf('#E8590C')?.light, { face: '#e8590c', onFace: '#000000' });
  t.match(paletteOf('#06c')?.light, { face: '#0066cc', onFace: '#ffffff', link: '#0066cc' });
  t.match(paletteOf('#000')?.light, { face: '#000000', onFace: '#ffffff' });
});

t.test('what is no colour is none', async (t) => {
  for (const text of ['', 'blue', '123456', '#12', '#12345', '#1234567', '#12345g', 'rgb(0,0,0)']) {
    t.equal(paletteOf(text), null, text);
  }
});
