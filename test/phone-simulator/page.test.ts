import t from 'tap';
import { faultDigits } from '../../src/phone-simulator/faults.ts';
import type { PhoneMessage } from '../../src/phone-simulator/inbox.ts';
import { renderPage } from '../../src/phone-simulator/page.ts';

const HOST = '127.0.0.1:8443';

const page = (fields: Partial<PhoneMessage> = {}) => {
  const message: PhoneMessage = {
    sequence: 7,
    provider: 'signalwire',
    channel: 'sms',
    id: 'one',
    to: '+15550100100',
    from: '+15550100199',
    text: 'Your code is 493817. Do not share it.\n@login.example #493817',
    at: 1_893_456_000_000,
    ...fields,
  };
  return renderPage([message], HOST);
};

t.test('a message shows sender, provider, recipient, time and text', async (t) => {
  const html = page();
  for (const text of [
    '+15550100199',
    'SignalWire',
    'to +15550100100',
    'datetime="2030-01-01T00:00:00.000Z"',
    'id="m7"',
  ]) {
    t.ok(html.includes(text), text);
  }
});

t.test('the code is set off, and the line for the phone stands apart', async (t) => {
  const html = page();
  t.match(html, 'Your code is <strong class="code">493817</strong>. Do not share it.</p>');
  t.match(html, '<p class="bound">@login.example &#35;493817</p>'.replace('&#35;', '#'));
  t.match(page({ text: 'code 12345678' }), '<strong class="code">12345678</strong>');
  for (const text of ['in 2030x', 'call +15550100100', 'a1234', '123']) {
    t.notMatch(page({ text }), '<strong', text);
  }
});

t.test('a call shows what it said, in its language, or why it said nothing', async (t) => {
  t.match(
    page({ channel: 'voice', text: 'Code 4, 9.', language: 'en-US' }),
    'Call from +15550100199 said:</p><p class="said" lang="en-US">Code 4, 9.</p>',
  );
  const failed = page({ channel: 'voice', text: '', error: 'The answer URL answered 404.' });
  t.match(failed, '<p class="error">The answer URL answered 404.</p>');
  t.match(failed, 'class="voice failed"');
});

t.test('nothing that is shown is taken for markup', async (t) => {
  const evil = `<script>alert('1234')</script>"&`;
  for (const fields of [
    { text: evil },
    { text: `${evil}\n@${evil} #1` },
    { from: evil },
    { to: evil },
    { channel: 'voice', text: evil, language: `"${evil}` },
    { channel: 'voice', error: evil },
  ] as const) {
    const html = page(fields);
    t.notMatch(html, '<script>');
    t.notMatch(html, /lang="[^"]*"&/);
    t.match(html, '&#60;');
  }
});

t.test('an empty phone says what to do', async (t) => {
  const html = renderPage([], HOST);
  t.match(html, /<div id="empty">\s*<p class="big">No messages yet/);
  t.match(html, `SIGNALWIRE_SPACE=${HOST}`);
  t.match(page(), '<div id="empty" hidden>');
});

t.test('it lists the digits of every fault, and has no script or style within', async (t) => {
  const html = page();
  for (const { digits, what } of faultDigits) t.ok(html.includes(`${digits}</th><td>${what}`), digits);
  t.notMatch(html, /<style|style="|<script>|\son\w+=/);
  t.match(html, '<noscript><meta http-equiv="refresh"');
});
