import t from 'tap';
import { loadSdk } from '../../src/delivery/compatibility-sdk.ts';
import { readSpoken } from '../../src/phone-simulator/spoken.ts';

const say = (content: string) => readSpoken(`<Response>${content}</Response>`, 'Say');

t.test('the words and their language are read', async (t) => {
  t.strictSame(say('<Say language="de-DE">Ihr Code ist 1, 2.</Say>'), {
    text: 'Ihr Code ist 1, 2.',
    language: 'de-DE',
  });
  t.strictSame(say('<Say>One.</Say>'), { text: 'One.' });
  t.strictSame(
    say('\n  <Pause length="1"/>\n  <Say voice="a" language="en-US">\n One. </Say >\n <Pause/><Say>Two.</Say>\n'),
    { text: 'One. Two.', language: 'en-US' },
  );
  t.strictSame(
    readSpoken('<?xml version="1.0"?>\n<Response><Wait length="1"/><Speak>Hi</Speak></Response>\n', 'Speak'),
    {
      text: 'Hi',
    },
  );
});

t.test('entities stand for what they mean', async (t) => {
  t.strictSame(say('<Say>&lt;&gt; &quot;A&amp;amp;B&apos; &#90;&#x1F600;</Say>'), { text: '<> "A&amp;B\' Z😀' });
});

t.test('what the SDK writes is what is heard', async (t) => {
  const { RestClient } = await loadSdk();
  for (const text of [`Zoë’s "code" & <more>: 4, 9.`, "it's", 'one &amp; two', '验证码 4, 9']) {
    const response = new RestClient.LaML.VoiceResponse();
    response.say({ language: 'zh-CN' }, text);
    t.strictSame(readSpoken(response.toString(), 'Say'), { text, language: 'zh-CN' });
  }
});

t.test('anything else is nothing', async (t) => {
  for (const xml of [
    '',
    'hello',
    '{"text":"hello"}',
    '<Response/>',
    '<Response></Response>',
    '<Response><Pause/></Response>',
    '<Response><Say></Say></Response>',
    '<Response><Say>one</Response>',
    '<Response><Say>one</Speak></Response>',
    '<Response><Say>one</Say>two</Response>',
    '<Response><Say>one <b>two</b></Say></Response>',
    '<Response><Say>one & two</Say></Response>',
    '<Response><Say>one &nbsp; two</Say></Response>',
    '<Response><Say>one &constructor; two</Say></Response>',
    '<Response><Say>one &#0; two</Say></Response>',
    '<Response><Say language=en>one</Say></Response>',
    '<Response><Dial>+15550100100</Dial><Say>one</Say></Response>',
    '<Response><Speak>one</Speak></Response>',
    '<html><body>one</body></html>',
    '<Response><Say>one</Say></Response><Response><Say>two</Say></Response>',
  ]) {
    t.equal(readSpoken(xml, 'Say'), null, xml);
  }
});

t.test('a long document is read in linear time', async (t) => {
  // With a quadratic time this would take hours: the test ends, or the runner ends it.
  const xml = `<Response>${'<Say a="1" '.repeat(1_000_000)}</Response>`;
  t.equal(readSpoken(xml, 'Say'), null);
});
