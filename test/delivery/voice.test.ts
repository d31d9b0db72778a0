import t from 'tap';
import { plivoDialect, voiceDialect } from '../../src/delivery/voice.ts';
import { localeNames } from '../../src/pages/locales/locales.ts';

t.test('every language that there are words in has a voice of its own', async (t) => {
  t.equal(new Set(localeNames.map(voiceDialect)).size, localeNames.length);
});

t.test('a dialect is read in its language, and anything else in English', async (t) => {
  t.equal(voiceDialect('de-AT'), 'de-DE');
  t.equal(voiceDialect('PT'), 'pt-BR');
  t.equal(voiceDialect('zh-Hant-TW'), 'zh-CN');
  for (const other of ['it', '', 'constructor', 'en']) t.equal(voiceDialect(other), 'en-US', other);
});

t.test('Plivo has a name of its own for Chinese', async (t) => {
  t.equal(plivoDialect('zh-Hant-TW'), 'cmn-CN');
  for (const locale of localeNames.filter((name) => name !== 'zh')) t.equal(plivoDialect(locale), voiceDialect(locale));
});
