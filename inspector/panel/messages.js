/*
 * One job: the last messages of a WebSocket or an event stream, the newest first.
 */

import { el } from './dom.js';
import { clock, count, duration, size, utc } from './format.js';
import { durationOf, isLive, isTunnel } from './model.js';
import { withLocks } from './redaction.js';

const WAYS = {
  in: ['↑', 'from the client'],
  out: ['↓', 'from the upstream'],
};

/* What is to be said of one that has no text, or not all of it. */
function kindWords({ type, compressed, truncated, size: bytes }) {
  const kind = compressed ? `${type}, compressed` : type || 'message';

  return truncated ? `… of ${size(bytes)}` : `${kind}, ${size(bytes)}`;
}

function messageLine(message) {
  const { ts, direction, name, text, truncated } = message;
  const [arrow, words] = WAYS[direction] ?? WAYS.out;
  const has = typeof text === 'string' && text !== '';
  const shown = el(
    'span',
    { class: 'message-text' },
    name && el('b', {}, `${name} `),
    has && withLocks(text),
    (!has || truncated) && el('span', { class: 'message-size' }, ` ${kindWords(message)}`),
  );

  return el(
    'li',
    {},
    el('time', { title: utc(ts) }, clock(ts)),
    el('span', { class: 'direction', role: 'img', 'aria-label': words }, arrow),
    shown,
  );
}

function note(record, row) {
  const shown = record.messages.length;
  const total = record.messages_total ?? record.message_count ?? NaN;
  const which =
    total > shown
      ? `The last ${count(shown)} of ${count(total)} messages.`
      : `The last ${count(shown)} messages.`;
  const bytes = isTunnel(row)
    ? `: ${size(row.requestSize)} up, ${size(row.responseSize)} down.`
    : `: ${size(row.responseSize)} down.`;

  return `${which} ${isLive(row) ? 'Open for' : 'It was open for'} ${duration(durationOf(row))}${bytes}`;
}

/* Whether a record has messages to show in its response. */
export function hasMessages(record) {
  return Array.isArray(record.messages) && record.messages.length > 0;
}

/* The list and what is to be said about it. */
export function messageNodes(record, row) {
  const newest = [...record.messages].reverse();

  return [
    el('ol', { class: 'messages', 'aria-label': 'Messages, newest first' }, newest.map(messageLine)),
    el('p', { class: 'note-box' }, note(record, row)),
  ];
}
