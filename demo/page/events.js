/*
 * One job: the event log, by Server-Sent Events. The browser connects again by itself, and says
 * what it saw last.
 */
import { byId, el, prepend, setText } from './dom.js';
import { timeOfDay } from './format.js';

const MOST = 60;

function show(kind, { time, source, text, job }) {
  prepend(
    byId('events'),
    el(
      'li',
      { class: kind },
      el('time', {}, timeOfDay(new Date(time))),
      el('span', { class: 'source' }, source),
      el('span', {}, job ? `${job.id}: ${text}` : text),
    ),
    MOST,
  );
}

export function startEvents() {
  const source = new EventSource('/api/events');
  const note = byId('events-note');

  source.addEventListener('open', () => setText(note, 'connected'));
  source.addEventListener('error', () => setText(note, 'connecting again…'));
  source.addEventListener('log', (event) => show('log', JSON.parse(event.data)));
  source.addEventListener('job', (event) => show('job', JSON.parse(event.data)));
  source.addEventListener('gap', (event) => {
    show('log', { time: Date.now(), source: 'log', text: `${JSON.parse(event.data).missed} events were missed` });
  });
}
