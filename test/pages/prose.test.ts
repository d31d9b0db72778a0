import t from 'tap';
import { prose } from '../../src/pages/prose.ts';

t.test('text is told as text, and only backquotes mean something', (t) => {
  t.equal(prose('to `/otp`, or `next`'), 'to <code>/otp</code>, or <code>next</code>');
  t.equal(prose(`<b> & "it's"`), '&lt;b&gt; &amp; &quot;it&#39;s&quot;');
  t.equal(prose('`<b>`'), '<code>&lt;b&gt;</code>');
  t.equal(prose('one ` alone'), 'one ` alone');
  t.end();
});
