/*
 * One job: the table of jobs: shown as it is polled, added to by the form, taken from by its
 * buttons.
 */
import { call, sendJson } from './api.js';
import { announce, bar, byId, el, setBar, setText } from './dom.js';
import { poll } from './poll.js';

const rows = new Map(); /* by the job's ID */
let poller = null;

async function remove(id, button) {
  button.disabled = true;
  try {
    await call('DELETE', `/api/blast/jobs/${encodeURIComponent(id)}`, { read: () => null });
    announce(`${id} is removed`);
  } catch (error) {
    announce(error.message);
  }
  poller.now();
}

function createRow(job) {
  const progress = bar(0, 'Progress');
  const figure = el('span', { class: 'figure' });
  const state = el('span', { class: 'state' });
  const button = el('button', { type: 'button', class: 'button small', 'aria-label': `Remove ${job.id}` }, 'Remove');
  const row = el(
    'tr',
    {},
    el('td', { class: 'mono' }, job.id),
    el('td', { class: 'name', title: job.name }, job.name),
    el('td', { class: 'search' }, `${job.program} · ${job.database}`),
    el('td', { class: 'progress' }, el('span', { class: 'meter' }, progress, figure)),
    el('td', {}, state),
    el('td', { class: 'remove' }, button),
  );

  button.addEventListener('click', () => remove(job.id, button));
  return { row, progress, figure, state };
}

/* Rows stay where they are as long as their job does: a button that has the focus keeps it. */
function show({ jobs }) {
  const place = byId('jobs');
  const present = new Set(jobs.map((job) => job.id));

  for (const [id, { row }] of rows) {
    if (!present.has(id)) {
      row.remove();
      rows.delete(id);
    }
  }
  jobs.forEach((job, index) => {
    const parts = rows.get(job.id) ?? createRow(job);

    rows.set(job.id, parts);
    setBar(parts.progress, job.progress, 'Progress');
    parts.progress.classList.remove('high');
    setText(parts.figure, `${job.progress} %`);
    setText(parts.state, job.state);
    parts.state.className = `state ${job.state}`;
    if (place.children[index] !== parts.row) {
      place.insertBefore(parts.row, place.children[index] ?? null);
    }
  });
}

async function submit(event) {
  const form = event.currentTarget;
  const { name, program, database } = Object.fromEntries(new FormData(form));

  event.preventDefault();
  try {
    const job = await sendJson('POST', '/api/blast/jobs', { name: name || form.elements.name.placeholder, program, database });

    form.elements.name.value = '';
    announce(`${job.id} is submitted`);
  } catch (error) {
    announce(error.message);
  }
  poller.now();
}

export function startJobs() {
  byId('submit').addEventListener('submit', submit);
  poller = poll('/api/blast/jobs', 3, byId('jobs-note'), show);
}
