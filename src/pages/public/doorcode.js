// What the sign-in pages do besides. All of them work without it.

const code = document.querySelector('#otp');
const said = document.querySelector('#said');

// How long ago the server wrote the page, by clocks that need not be right: one may stand still while the machine sleeps,
// the other may be set.
const navigation = performance.getEntriesByType?.('navigation')[0];
const readAt = performance.now();
const readOn = Date.now();
const beforeMs = navigation?.responseStart > 0 ? readAt - navigation.responseStart : 0;
const elapsedMs = () => beforeMs + Math.max(performance.now() - readAt, Date.now() - readOn);

const isComplete = () => code.value.length === Number(code.dataset.digits);

/** The code in what was typed or pasted, be it a whole message; else the digits there are. */
function digitsOf(text) {
  const plain = text.normalize('NFKC').replace(/[\s\p{Cf}\p{Pd}\u2212]/gu, '');
  const runs = plain.match(/\p{Nd}+/gu) ?? [];
  return runs.find((run) => run.length === Number(code.dataset.digits)) ?? runs.join('');
}

function enter(text) {
  code.value = digitsOf(text);
  if (isComplete()) code.form.requestSubmit();
}

if (code) {
  code.addEventListener('input', (event) => {
    if (!event.isComposing && /\P{Nd}/u.test(code.value)) code.value = digitsOf(code.value);
    if (isComplete() && !event.inputType?.startsWith('delete')) code.form.requestSubmit();
  });
  code.addEventListener('paste', (event) => {
    event.preventDefault();
    enter(event.clipboardData.getData('text'));
  });
  // The code of a text message that names this host: https://wicg.github.io/web-otp/
  if ('OTPCredential' in window) {
    const stop = new AbortController();
    code.form.addEventListener('submit', () => stop.abort());
    navigator.credentials
      .get({ otp: { transport: ['sms'] }, signal: stop.signal })
      .then((credential) => credential && enter(credential.code))
      .catch(() => {});
  }
}

/** Tells who cannot see it; two things at the same moment in one breath. */
let toldAt = Number.NEGATIVE_INFINITY;
function tell(text) {
  said.textContent = performance.now() - toldAt < 1000 ? `${said.textContent} ${text}` : text;
  toldAt = performance.now();
}

/** Counts down to the end that the server named, and says so to who cannot see it. */
function countDown(line, { announce = {}, over }) {
  if (!line) return;
  const time = line.querySelector('.time');
  const endsInMs = Number(line.dataset.endsIn);
  let lastSeconds = Number.POSITIVE_INFINITY;
  const tick = () => {
    const leftMs = endsInMs - elapsedMs();
    const seconds = Math.max(0, Math.ceil(leftMs / 1000));
    if (seconds === 0) return over(line);
    time.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    const passed = Object.keys(announce).find((mark) => lastSeconds > mark && seconds <= mark);
    if (passed && lastSeconds !== Number.POSITIVE_INFINITY) tell(announce[passed](seconds));
    lastSeconds = seconds;
    // At the next full second, and not once a second: a timer may come late.
    setTimeout(tick, ((leftMs - 1) % 1000) + 1);
  };
  tick();
}

const tellLeft = (seconds) => said.dataset.left.replace('{count}', seconds);
countDown(document.querySelector('#life'), {
  announce: { 30: tellLeft, 10: tellLeft },
  over(line) {
    line.textContent = line.dataset.over;
    document.querySelector('main').classList.add('over');
    // What helps now is a new code.
    document.querySelector('#enter button').classList.add('quiet');
    document.querySelector('#resend button')?.classList.remove('quiet');
    tell(said.dataset.expired);
  },
});

const wait = document.querySelector('#wait');
const ways = wait ? [...wait.closest('form').querySelectorAll('button')] : [];
for (const way of ways) {
  way.setAttribute('aria-disabled', 'true');
  way.setAttribute('aria-describedby', 'wait');
}
countDown(wait, {
  over(line) {
    line.textContent = said.dataset.ready;
    for (const way of ways) way.removeAttribute('aria-disabled');
    tell(said.dataset.ready);
  },
});

// One click, one form. A browser that gives up on an answer may try again after a while.
const PATIENCE_MS = 10_000;
let sentAt = Number.NEGATIVE_INFINITY;
addEventListener('submit', (event) => {
  const { submitter } = event;
  if (submitter?.getAttribute('aria-disabled') === 'true' || performance.now() - sentAt < PATIENCE_MS) {
    event.preventDefault();
    return;
  }
  sentAt = performance.now();
  submitter?.setAttribute('aria-busy', 'true');
});

// A page that the browser kept, for its Back button, may tell of what is long over.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

for (const time of document.querySelectorAll('time')) {
  const { lang } = document.documentElement;
  time.textContent = new Date(time.dateTime).toLocaleString(lang, { dateStyle: 'long', timeStyle: 'short' });
}
