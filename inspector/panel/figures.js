/*
 * One job: the figures beside the picture, counted from the rows that the page holds: the last five
 * minutes, polls included; the rate is that of the last minute.
 */

import { el } from './dom.js';
import { count, duration, figure, percent } from './format.js';
import { isFailed, isLive, isTunnel } from './model.js';
import { WINDOW_S } from './picture.js';
import { serverNow } from './server_clock.js';

const LEGEND = [
  ['cross', 'failed'],
  ['triangle', 'refused'],
  ['ring', 'in flight'],
  ['dot', 'poll'],
];

/* Of sorted values, by the nearest rank; NaN of none. */
function percentile(sorted, share) {
  return sorted.length > 0 ? sorted[Math.ceil(share * sorted.length) - 1] : NaN;
}

export function countFigures(rows, now = serverNow()) {
  const figures = { exchanges: 0, polls: 0, failed: 0, perMinute: 0, live: 0 };
  const durations = [];

  for (const row of rows) {
    const age = now - row.ts;

    if (isLive(row)) {
      figures.live += 1;
    }
    if (age >= WINDOW_S) {
      continue;
    }
    figures[row.poll ? 'polls' : 'exchanges'] += 1;
    figures.failed += isFailed(row) ? 1 : 0;
    figures.perMinute += age < 60 ? 1 : 0;
    if (!isLive(row) && !isTunnel(row)) {
      durations.push(row.duration);
    }
  }
  durations.sort((a, b) => a - b);
  return {
    ...figures,
    p50: percentile(durations, 0.5),
    p95: percentile(durations, 0.95),
    p99: percentile(durations, 0.99),
  };
}

export class Figures {
  #values = new Map();

  constructor() {
    const fact = (name, word, kind = '') => {
      const value = el('dd');

      this.#values.set(name, value);
      return el('div', { class: `fact fact-${name} ${kind}`.trim() }, el('dt', {}, word), value);
    };

    this.element = el(
      'div',
      { class: 'figures' },
      el(
        'dl',
        { class: 'facts' },
        fact('rate', 'requests'),
        fact('errors', 'errors'),
        fact('live', 'in flight', 'optional'),
        fact('p50', 'p50'),
        fact('p95', 'p95'),
        fact('p99', 'p99', 'optional'),
      ),
      el(
        'div',
        { class: 'legend', 'aria-hidden': 'true' },
        LEGEND.map(([shape, word]) => el('span', {}, el('i', { class: shape }), word)),
      ),
    );
  }

  show(figures) {
    const total = figures.exchanges + figures.polls;

    this.#set('rate', count(figures.perMinute), '/min');
    this.#set('errors', percent(figures.failed, total), '%');
    this.#values.get('errors').classList.toggle('bad', figures.failed > 0);
    this.#set('live', count(figures.live), '');
    for (const name of ['p50', 'p95', 'p99']) {
      this.#set(name, ...figure(duration(figures[name])));
    }
  }

  #set(name, value, unit) {
    this.#values.get(name).replaceChildren(value, unit && el('small', {}, unit));
  }
}
