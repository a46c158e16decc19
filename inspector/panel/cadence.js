/*
 * One job: the strip of a poll's cadence: a tick a call over the last 100 seconds, tall where its answer
 * changed.
 */

import { drawn } from './dom.js';
import { STRIP_S } from './poll_groups.js';

const WIDTH = 150;
const HEIGHT = 18;
const BASE = 16;
const LOW = 10;
const HIGH = 2;
const DENSE = 45; /* ticks, from which on they are thinner */

function strokes(ticks, top) {
  return ticks
    .map(({ ago }) => {
      const x = (1 + (1 - ago / STRIP_S) * (WIDTH - 2)).toFixed(1);

      return `M${x} ${top}V${BASE}`;
    })
    .join('');
}

export class CadenceStrip {
  #same = drawn('path', { class: 'tick-same' });
  #changed = drawn('path', { class: 'tick-changed' });

  constructor() {
    this.element = drawn(
      'svg',
      { class: 'strip-picture', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' },
      drawn('path', { class: 'strip-base', d: `M0 ${BASE + 0.5}H${WIDTH}` }),
      this.#same,
      this.#changed,
    );
  }

  /* `words` say the same to those who do not see it. */
  show(ticks, words) {
    this.#same.setAttribute('d', strokes(ticks.filter(({ changed }) => !changed), LOW));
    this.#changed.setAttribute('d', strokes(ticks.filter(({ changed }) => changed), HIGH));
    this.element.classList.toggle('dense', ticks.length > DENSE);
    this.element.setAttribute('aria-label', words);
  }
}
