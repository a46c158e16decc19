/*
 * One job: the list of answers, each with the request ID by which the inspector knows it. The
 * inspector keeps of a poll a row only, and no record to open: so a poll's ID is no link.
 */
import { byId, el } from './dom.js';
import { duration, timeOfDay } from './format.js';

const MOST = 60; /* of each kind: polls must not push out what was done by hand */
const list = byId('activity');

byId('activity-polls').addEventListener('change', (event) => {
  list.classList.toggle('with-polls', event.target.checked);
});

function kindOf(status) {
  if (typeof status !== 'number' || status >= 500) {
    return 'bad';
  }
  return status >= 400 ? 'warn' : 'plain';
}

function idOf({ id, poll }) {
  if (!id) {
    return el('span', { class: 'id' }, 'no request ID (not through Sightglass)');
  }
  if (poll) {
    return el('span', { class: 'id' }, id);
  }
  return el(
    'a',
    {
      class: 'id',
      href: `/_inspector/#traffic?open=${encodeURIComponent(id)}`,
      target: '_blank',
      rel: 'noopener',
      title: 'Open it in the inspector',
    },
    id,
  );
}

/* `status` is a number, or a word where there was no answer or it broke off. */
export function record({ method, path, status, ms, id, poll }) {
  const kind = poll ? 'poll' : 'call';

  list.prepend(
    el(
      'li',
      { class: kind },
      el('time', {}, timeOfDay(new Date())),
      el('span', { class: `status ${kindOf(status)}` }, String(status)),
      el('span', { class: 'what', title: `${method} ${path}` }, el('b', {}, method), ` ${path}`),
      el('span', { class: 'took' }, duration(ms)),
      idOf({ id, poll }),
    ),
  );
  list.querySelectorAll(`.${kind}`)[MOST]?.remove();
}
