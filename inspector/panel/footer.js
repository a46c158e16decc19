/*
 * One job: the footer: the keys that matter at the left, how full ring and poll log are at the right.
 */

import { el } from './dom.js';
import { count, figure, roundSize } from './format.js';

const KEYS = [
  ['↑↓', 'select'],
  ['↵', 'open'],
  ['/', 'filter'],
  ['n', 'next error'],
  ['r', 'replay'],
  ['c', 'curl'],
  ['?', 'all keys'],
];

function ringWords({ count: kept, capacity, bytes, bytes_capacity: bytesCapacity }) {
  const words = `Ring ${count(kept)} of ${count(capacity)}`;

  if (!(bytesCapacity > 0)) {
    return words;
  }

  const [used, unit] = figure(roundSize(bytes));
  const [all, allUnit] = figure(roundSize(bytesCapacity));

  return `${words} · ${used}${unit === allUnit ? '' : ` ${unit}`} of ${all} ${allUnit}`;
}

export class Footer {
  #ring = el('span');
  #evicted = el('span');
  #polls = el('span', { class: 'foot-polls' });

  constructor(element) {
    element.replaceChildren(
      ...KEYS.map(([key, word]) => el('span', {}, el('kbd', {}, key), word)),
      el('span', { class: 'space' }),
      this.#ring,
      this.#evicted,
      this.#polls,
    );
  }

  /* `info` as feed.js has it. */
  show(info) {
    this.#ring.textContent = ringWords(info);
    this.#evicted.textContent = info.evicted > 0 ? `${count(info.evicted)} evicted` : '';
    this.#evicted.hidden = !(info.evicted > 0);
    this.#polls.hidden = !Number.isFinite(info.poll_capacity);
    this.#polls.textContent = `Poll log ${count(info.poll_rows)} of ${count(info.poll_capacity)}`;
  }
}
