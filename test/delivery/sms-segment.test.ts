import t from 'tap';
import { segmentInfo } from '../../src/delivery/sms-segment.ts';

t.test('the seven-bit alphabet holds 160 characters', async (t) => {
  t.strictSame(segmentInfo(''), { encoding: 'gsm7', units: 0, limit: 160, fits: true });
  t.strictSame(segmentInfo('a'.repeat(160)), { encoding: 'gsm7', units: 160, limit: 160, fits: true });
  t.strictSame(segmentInfo('a'.repeat(161)), { encoding: 'gsm7', units: 161, limit: 160, fits: false });
});

t.test('its 127 characters cost one, those of the extension table two', async (t) => {
  const basic =
    '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿' +
    'abcdefghijklmnopqrstuvwxyzäöñüà';
  t.equal(new Set(basic).size, 127);
  t.match(segmentInfo(basic), { encoding: 'gsm7', units: 127 });
  t.match(segmentInfo('\f^{}\\[~]|€'), { encoding: 'gsm7', units: 20 });
});

t.test('one character from elsewhere, and only 70 fit', async (t) => {
  for (const character of ['ç', '’', '`', '中', 'ё', '\t', '\u00a0', '\x1b']) {
    t.match(segmentInfo(`a${character}`), { encoding: 'ucs2', units: 2, limit: 70 }, JSON.stringify(character));
  }
  t.match(segmentInfo('中'.repeat(70)), { units: 70, fits: true });
  t.match(segmentInfo('中'.repeat(71)), { units: 71, fits: false });
});

t.test('an emoji takes two units', async (t) => {
  t.match(segmentInfo('🔑'), { encoding: 'ucs2', units: 2 });
});
