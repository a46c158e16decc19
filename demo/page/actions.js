/*
 * One job: the buttons that make an exchange of each kind, with what came of it beside them.
 */
import { call, getJson } from './api.js';
import { announce, byId, el, setText } from './dom.js';
import { size } from './format.js';

const GENERATED_SIZE = 5 * 1024 * 1024;
const RANDOM_MOST = 65536; /* what crypto.getRandomValues() gives at once */

async function slowReport() {
  const { reports } = await getJson('/api/reports?year=2025&sort=month');

  return `${reports.length} months`;
}

async function callsCounted() {
  const { connections, calls } = await getJson('/api/_counters');
  const total = Object.values(calls).reduce((sum, count) => sum + count, 0);

  return `${total} calls over ${connections} connections`;
}

/* Reads a body to its end, without keeping it. */
async function drain(response, say) {
  const reader = response.body.getReader();
  let received = 0;

  for (;;) {
    const { done, value } = await reader.read();

    if (done) {
      return received;
    }
    received += value.length;
    say(size(received));
  }
}

async function download(say, signal) {
  const received = await call('GET', '/api/download/20MiB', { signal, read: (response) => drain(response, say) });

  return `${size(received)} received`;
}

async function archive(say) {
  await call('GET', '/api/legacy/archive', { read: (response) => drain(response, say) });
  return 'complete'; /* which it never is */
}

function generated() {
  const pieces = [];

  for (let made = 0; made < GENERATED_SIZE; made += RANDOM_MOST) {
    pieces.push(crypto.getRandomValues(new Uint8Array(RANDOM_MOST)));
  }
  return new Blob(pieces);
}

async function upload(say, signal) {
  const file = byId('upload-file').files[0] ?? generated();

  say(`sending ${size(file.size)}`);
  const answer = await call('POST', '/api/upload', {
    body: file,
    type: 'application/octet-stream',
    signal,
    read: (response) => response.json(),
  });

  return `${size(answer.size_bytes)}, ${answer.algorithm} ${answer.hash}`;
}

/* `stoppable`: while it runs, its button gives it up. */
const actions = [
  { label: 'Slow report', about: 'takes 1.2 s', run: slowReport },
  { label: 'Failing call', about: 'the API answers 500', run: () => getJson('/api/billing/summary') },
  { label: 'Broken export', about: 'closes without an answer', run: () => getJson('/api/legacy/export') },
  { label: 'Cut archive', about: 'breaks off after 4 KiB', run: archive },
  { label: 'Download', about: '20 MiB, streamed', run: download, stoppable: true },
  { label: 'Upload', about: 'a file, or 5 MiB made here', run: upload, stoppable: true, file: true },
  { label: 'Count calls', about: 'as the API itself counted', run: callsCounted },
];

function createAction({ label, about, run, stoppable, file }) {
  const result = el('span', { class: 'result' }, about);
  const button = el('button', { type: 'button', class: 'button' }, label);
  let stop = null;

  async function start() {
    stop = new AbortController();
    setText(button, stoppable ? 'Stop' : label);
    button.disabled = !stoppable;
    result.className = 'result';
    setText(result, '…');
    try {
      setText(result, await run((text) => setText(result, text), stop.signal));
    } catch (error) {
      setText(result, error.message);
      result.className = 'result trouble';
    }
    announce(`${label}: ${result.textContent}`);
    setText(button, label);
    button.disabled = false;
    stop = null;
  }

  button.addEventListener('click', () => (stop ? stop.abort() : start()));
  return el(
    'li',
    {},
    button,
    file ? el('input', { type: 'file', id: 'upload-file', 'aria-label': 'File to upload' }) : '',
    result,
  );
}

export function startActions() {
  byId('actions').append(...actions.map(createAction));
}
