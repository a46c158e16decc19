/*
 * One job: the divider between the table and the detail: dragged, or moved by the arrow keys; a double
 * click gives it back its place. Its place is remembered in this browser.
 */

import { el } from './dom.js';
import { recall, remember } from './settings.js';

const NAME = 'list-share';
const STEP_PX = 16;
const LEAST = 25; /* percent of the width that either side keeps */
const USUAL = 44;

export class Divider {
  #split;
  #share = USUAL;

  /* `split` is the grid whose columns the divider parts. */
  constructor(split) {
    this.#split = split;
    this.element = el('div', {
      class: 'divider',
      role: 'separator',
      tabindex: '0',
      'aria-orientation': 'vertical',
      'aria-label': 'Width of the list',
      'aria-valuemin': LEAST,
      'aria-valuemax': 100 - LEAST,
      hidden: true,
      on: {
        pointerdown: (event) => this.#grab(event),
        dblclick: () => this.#set(null),
        keydown: (event) => this.#pressed(event),
      },
    });

    this.#apply(Number(recall(NAME)) || null);
  }

  #set(share) {
    this.#apply(share);
    remember(NAME, share === null ? null : this.#share.toFixed(2));
  }

  /* null is the layout's own share, as panel.css has it. */
  #apply(share) {
    const { style } = this.#split;

    this.#share = Math.min(100 - LEAST, Math.max(LEAST, share ?? USUAL));
    this.element.setAttribute('aria-valuenow', Math.round(this.#share));
    if (share === null) {
      style.removeProperty('--list');
      style.removeProperty('--detail');
    } else {
      style.setProperty('--list', `${this.#share}fr`);
      style.setProperty('--detail', `${100 - this.#share}fr`);
    }
  }

  #grab(event) {
    const box = this.#split.getBoundingClientRect();
    const move = ({ clientX }) => this.#set(((clientX - box.left) / box.width) * 100);
    const drop = () => {
      this.element.removeEventListener('pointermove', move);
      this.element.removeEventListener('pointerup', drop);
      this.element.removeEventListener('pointercancel', drop);
    };

    event.preventDefault();
    this.element.setPointerCapture(event.pointerId);
    this.element.addEventListener('pointermove', move);
    this.element.addEventListener('pointerup', drop);
    this.element.addEventListener('pointercancel', drop);
  }

  #pressed(event) {
    const step = { ArrowLeft: -STEP_PX, ArrowRight: STEP_PX }[event.key];

    if (step) {
      event.preventDefault();
      this.#set(this.#share + (step / this.#split.clientWidth) * 100);
    }
  }
}
