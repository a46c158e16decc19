/*
 * One job: one row of the table. Its elements are made once and filled again for whatever exchange it
 * shows next; only what differs is written.
 */

import { el, setStyle } from './dom.js';
import { NOTHING, clock, duration, foldPath, onScale, size, utc } from './format.js';
import {
  PHASES,
  PHASE_NAMES,
  chipsOf,
  durationOf,
  isHard,
  isLive,
  isMutation,
  isTunnel,
  sizeOf,
  statusOf,
} from './model.js';

const SLOW_MS = 1000; /* from here a duration is bold */
const LEAST_BAR = 0.8; /* percent: even the shortest is seen */

const cell = (name, ...children) => el('span', { class: `cell-${name}`, role: 'gridcell' }, children);

/* The element of a status, wherever one is shown. */
export function statusMark(row) {
  const { form, word, title } = statusOf(row);

  return el('span', { class: `status ${form}`, title: title || null }, word);
}

/* The element of a method, wherever one is shown. */
export function methodMark(method) {
  return el('span', { class: isMutation(method) ? 'method mutation' : 'method' }, method);
}

export function chip({ word, kind, title }) {
  return el('span', { class: `chip ${kind}`.trim(), title }, word);
}

/* The phases' shares of an exchange, as [phase, share from, share to] of 0 to 1. */
function shares(phases) {
  const sum = phases.reduce((total, ms) => total + ms, 0);
  const parts = [];
  let at = 0;

  phases.forEach((ms, i) => {
    if (ms > 0) {
      parts.push([PHASES[i], at / sum, (at + ms) / sum]);
      at += ms;
    }
  });
  return parts;
}

function gradient(row) {
  const stops = shares(row.phases).map(
    ([phase, from, to]) =>
      `var(--${phase}) ${(from * 100).toFixed(1)}% ${(to * 100).toFixed(1)}%`,
  );

  return stops.length > 0 ? `linear-gradient(90deg, ${stops.join(', ')})` : '';
}

function phaseWords(row) {
  return row.phases
    .map((ms, i) => (ms >= 0.05 ? `${PHASE_NAMES[PHASES[i]]} ${duration(ms)}` : ''))
    .filter(Boolean)
    .join(' · ');
}

export class RowElement {
  constructor() {
    this.row = null;
    this.revision = -1;
    this.setting = null;
    this.top = -1;
    this.time = cell('time');
    this.status = cell('status');
    this.method = cell('method');
    this.path = el('span', { class: 'path' });
    this.query = el('span', { class: 'path-query' });
    this.chips = el('span', { class: 'chips' });
    this.caller = cell('caller');
    this.duration = cell('duration');
    this.size = cell('size');
    this.bar = el('span', { class: 'bar' });
    this.bars = cell('bar', this.bar);
    this.element = el(
      'div',
      { class: 'row', role: 'row' },
      this.time,
      this.status,
      this.method,
      cell('path', this.path, this.chips),
      this.caller,
      this.duration,
      this.size,
      this.bars,
    );
  }

  /* `setting` is {room, millis}: characters for the path, and whether times show milliseconds. */
  show(row, setting) {
    if (this.row === row && this.revision === row.revision && this.setting === setting) {
      return;
    }
    this.row = row;
    this.revision = row.revision;
    this.setting = setting;

    this.element.id = `row-${row.seq}`;
    this.element.classList.toggle('failed', isHard(row));
    this.element.classList.toggle('poll', row.poll);
    this.time.textContent = clock(row.ts, { millis: setting.millis });
    this.time.title = utc(row.ts);
    this.status.replaceChildren(statusMark(row));
    this.method.replaceChildren(methodMark(row.method));
    this.#showPath(row, setting.room);
    this.caller.textContent = row.caller || NOTHING;
    this.caller.title = row.caller;
    this.size.textContent = sizeOf(row) > 0 ? size(sizeOf(row)) : NOTHING;
    this.bars.title = phaseWords(row);
    this.bar.classList.toggle('running', isLive(row) && !isTunnel(row));
    this.bar.classList.toggle('tunnel', isTunnel(row));
    setStyle(this.bar, { background: isLive(row) || isTunnel(row) ? '' : gradient(row) });
    this.showDuration();
  }

  /* Of an exchange in flight it is written four times a second. */
  showDuration() {
    const ms = durationOf(this.row);

    this.duration.textContent = duration(ms);
    this.duration.classList.toggle('running', isLive(this.row));
    this.duration.classList.toggle('slow', !isLive(this.row) && ms >= SLOW_MS);
    setStyle(this.bar, { width: `${Math.max(LEAST_BAR, onScale(ms) * 100)}%` });
  }

  /* Rows are placed by transform alone, so that scrolling lays nothing out anew. */
  place(index, height) {
    const top = index * height;

    this.element.setAttribute('aria-rowindex', index + 2);
    if (top !== this.top) {
      this.top = top;
      setStyle(this.element, { transform: `translateY(${top}px)` });
    }
  }

  choose(chosen) {
    this.element.setAttribute('aria-selected', chosen ? 'true' : 'false');
  }

  #showPath(row, room) {
    const chips = chipsOf(row);
    const taken = chips.reduce((sum, { word }) => sum + word.length + 3, 0);
    const [path, query] = foldPath(row.path, row.query, Math.max(4, room - taken));

    this.query.textContent = query;
    this.path.replaceChildren(path, this.query);
    this.path.title = row.path + row.query;
    this.chips.replaceChildren(...chips.map(chip));
  }
}
