/*
 * One job: the figures above a page's table. Made once, then only filled anew.
 */

import { el, put } from './dom.js';

export class FiguresRow {
  #figures;

  /* `words` are what stands below each figure. */
  constructor(words) {
    this.#figures = words.map((word) => ({
      value: el('span'),
      unit: el('small'),
      word: el('dt', {}, word),
    }));
    this.element = el(
      'dl',
      { class: 'page-figures' },
      this.#figures.map(({ value, unit, word }) =>
        el('div', {}, word, el('dd', {}, value, ' ', unit)),
      ),
    );
  }

  /* [value, unit, word] of each, in order; without a word the one that stands there stays. */
  show(figures) {
    figures.forEach(([value, unit = '', word = null], i) => {
      if (word !== null) {
        put(this.#figures[i].word, word);
      }
      put(this.#figures[i].value, value);
      put(this.#figures[i].unit, unit);
    });
  }
}
