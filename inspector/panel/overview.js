/*
 * One job: the strip above the table: the picture, and beside it the figures, counted once a second.
 */

import { el } from './dom.js';
import { Figures, countFigures } from './figures.js';
import { Picture, pictureLabel } from './picture.js';

const COUNT_MS = 1000;

export class Overview {
  #store;
  #picture;
  #figures = new Figures();
  #counted = false;

  /* `onChoose(seq)` is called for a click near a point of the picture. */
  constructor({ store, onChoose }) {
    this.#store = store;
    this.#picture = new Picture({ onChoose });
    this.element = el('div', { class: 'picture' }, this.#picture.element, this.#figures.element);
    setInterval(() => this.#count(), COUNT_MS);
  }

  /*
   * The store has changed, or what passes the filter: see Picture.setRows(). `whole`: all that the page
   * will hold is there, so that the figures need not wait for the next second.
   */
  show(passing, chosen, whole) {
    this.#picture.setRows(this.#store.rows, passing);
    this.#picture.setChosen(chosen);
    if (!this.#counted && whole) {
      this.#count();
    }
  }

  setChosen(row) {
    this.#picture.setChosen(row);
  }

  #count() {
    if (!document.hidden) {
      const figures = countFigures(this.#store.rows);

      this.#counted = true;
      this.#figures.show(figures);
      this.#picture.setLabel(pictureLabel(figures));
    }
  }
}
