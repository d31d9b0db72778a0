import { faultDigits } from './faults.ts';
import type { PhoneMessage } from './inbox.ts';
import type { Provider } from './provider.ts';

const PROVIDERS: Readonly<Record<Provider, string>> = { signalwire: 'SignalWire', twilio: 'Twilio', plivo: 'Plivo' };

/** The page that shows what the phone got, the newest at the end, as a phone does. @param host of the API */
export function renderPage(messages: readonly PhoneMessage[], host: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Phone${messages.length > 0 ? ` (${messages.length})` : ''}</title>
<link rel="icon" href="/assets/phone.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/phone.css">
<noscript><meta http-equiv="refresh" content="3"></noscript>
<script src="/assets/phone.js" defer></script>
</head>
<body>
<header>
<div>
<h1>Phone</h1>
<p>takes messages and calls at <code>${escapeHtml(host)}</code></p>
</div>
<button type="button" id="clear" hidden>Delete all</button>
</header>
<main>
<ol id="messages" role="log" aria-label="Messages and calls">
${messages.map(renderMessage).join('\n')}
</ol>
<div id="empty"${messages.length > 0 ? ' hidden' : ''}>
<p class="big">No messages yet</p>
<p>Start doorcode with this phone as its provider, sign in, and the code arrives here.</p>
<pre><code>SIGNALWIRE_SPACE=${escapeHtml(host)}</code></pre>
</div>
</main>
<footer>
<details>
<summary>Numbers that misbehave</summary>
<table>
<caption>By the last three digits of the recipient</caption>
<thead><tr><th scope="col">Ends in</th><th scope="col">What happens</th></tr></thead>
<tbody>
${faultDigits.map(({ digits, what }) => `<tr><th scope="row">${digits}</th><td>${escapeHtml(what)}</td></tr>`).join('\n')}
</tbody>
</table>
</details>
</footer>
</body>
</html>
`;
}

function renderMessage({ sequence, provider, channel, from, to, text, at, error, language }: PhoneMessage): string {
  const time = new Date(at);
  const lang = language === undefined ? '' : ` lang="${escapeHtml(language)}"`;
  const body =
    error !== undefined
      ? `<p class="caption">Call from ${escapeHtml(from)}</p><p class="error">${escapeHtml(error)}</p>`
      : channel === 'voice'
        ? `<p class="caption">Call from ${escapeHtml(from)} said:</p><p class="said"${lang}>${escapeHtml(text)}</p>`
        : renderText(text);
  return `<li id="m${sequence}" class="${channel}${error === undefined ? '' : ' failed'}">
<p class="who"><b>${escapeHtml(from)}</b> <span>${PROVIDERS[provider]}</span></p>
<div class="bubble">${body}</div>
<p class="when"><span>to ${escapeHtml(to)}</span> <time datetime="${time.toISOString()}">${clockTime(time)}</time></p>
</li>`;
}

/** The last line of an SMS with a code, `@host #code`, is for the phone itself; phones show it small. */
function renderText(text: string): string {
  const [, words = text, bound] = /^(.*)\n(@\S+ #\S+)$/s.exec(text) ?? [];
  // A code is set off so that one click selects it.
  const shown = escapeHtml(words).replace(/(?<![\w&#+])\d{4,10}(?!\w)/g, '<strong class="code">$&</strong>');
  return `<p class="text">${shown}</p>${bound === undefined ? '' : `<p class="bound">${escapeHtml(bound)}</p>`}`;
}

/** In the time zone of this machine, which is also the reader's. */
function clockTime(time: Date): string {
  return time.toLocaleTimeString('en-GB');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
