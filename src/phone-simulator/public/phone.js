// Keeps the page up to date: asks for the list, and takes over what the server renders when it has changed.
const list = document.getElementById('messages');
const empty = document.getElementById('empty');
const clear = document.getElementById('clear');
const POLL_MS = 1000;

const shown = () => [...list.children].map(({ id }) => id).join();

function showEnd() {
  list.lastElementChild?.scrollIntoView({ block: 'end' });
}

async function refresh() {
  const messages = await (await fetch('/messages')).json();
  if (messages.map(({ sequence }) => `m${sequence}`).join() !== shown()) {
    const page = new DOMParser().parseFromString(await (await fetch('/')).text(), 'text/html');
    const fresh = [...page.getElementById('messages').children];
    const ids = new Set(fresh.map(({ id }) => id));
    for (const item of [...list.children]) if (!ids.has(item.id)) item.remove();
    // Only what is new is added, so that a selection stays and a screen reader reads no more than that.
    const added = fresh.filter(({ id }) => document.getElementById(id) === null);
    list.append(...added);
    if (added.length > 0) showEnd();
    document.title = page.title;
  }
  empty.hidden = list.children.length > 0;
  clear.hidden = list.children.length === 0;
}

async function poll() {
  // The simulator may be away for a moment, being started again.
  await refresh().catch(() => {});
  setTimeout(poll, POLL_MS);
}

clear.addEventListener('click', async () => {
  await fetch('/messages', { method: 'DELETE' });
  await refresh();
});

showEnd();
poll();
