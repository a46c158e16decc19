/*
 * One job: how far a route's durations spread, on the panel's one scale: a dot at p50, a tick at p95, a
 * ring at p99.
 */

import { drawn, el } from './dom.js';
import { onScale } from './format.js';

const MARKS = [
  ['1 ms', 0],
  ['10', 25],
  ['100', 50],
  ['1 s', 75],
  ['10 s', 100],
];
const MIDDLE = '50%';

/* The scale, for the head of the column. */
export function spreadHead() {
  return el(
    'span',
    { class: 'spread-head', 'aria-hidden': 'true' },
    MARKS.map(([word, at]) => el('span', { style: { left: `${at}%` } }, word)),
  );
}

const percent = (ms) => `${(onScale(ms) * 100).toFixed(2)}%`;

export class Spread {
  #range = drawn('line', { class: 'spread-range', y1: MIDDLE, y2: MIDDLE });
  #p50 = drawn('circle', { class: 'spread-p50', cy: MIDDLE, r: 4 });
  #p95 = drawn('rect', { class: 'spread-p95', y: 10.5, width: 2, height: 10 });
  #p99 = drawn('circle', { class: 'spread-p99', cy: MIDDLE, r: 3 });
  #shown = drawn('g', {}, this.#range, this.#p50, this.#p95, this.#p99);

  constructor() {
    this.element = drawn(
      'svg',
      { class: 'spread', 'aria-hidden': 'true' },
      MARKS.map(([, at]) => drawn('line', { x1: `${at}%`, x2: `${at}%`, y1: 0, y2: '100%' })),
      this.#shown,
    );
  }

  show({ p50, p95, p99, streams }) {
    const known = Number.isFinite(p50) && !streams;

    this.#shown.setAttribute('display', known ? 'inline' : 'none');
    if (known) {
      this.#range.setAttribute('x1', percent(p50));
      this.#range.setAttribute('x2', percent(p99));
      this.#p50.setAttribute('cx', percent(p50));
      this.#p95.setAttribute('x', percent(p95));
      this.#p99.setAttribute('cx', percent(p99));
    }
  }
}
