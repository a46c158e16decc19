/*
 * One job: which rows the table shows: those that the page holds and the filter lets pass, with what
 * the server found beyond them. The list can be held still: newer rows are counted, and wait.
 */

import { asksServer, emptyFilter, isNarrowing, matches } from './filter.js';
import { gapRow } from './gap.js';

/* Two lists, newest first, as one; of a row in both, that of `held` is taken: it is kept up to date. */
function merge(held, found) {
  const merged = [];
  let next = 0;

  for (const row of held) {
    while (next < found.length && found[next].seq > row.seq) {
      merged.push(found[next]);
      next += 1;
    }
    if (next < found.length && found[next].seq === row.seq) {
      next += 1;
    }
    merged.push(row);
  }
  return merged.concat(found.slice(next));
}

export class Listing {
  #store;
  #search;
  #ceiling = Infinity;

  constructor({ store, search }) {
    this.#store = store;
    this.#search = search;
    this.filter = emptyFilter();
    this.rows = [];
    this.waiting = 0;
  }

  get held() {
    return this.#ceiling !== Infinity;
  }

  /* From now on newer rows wait. */
  hold() {
    if (!this.held) {
      this.#ceiling = this.#store.highest;
    }
  }

  /* Those that waited come in; newer ones wait again where it was held. */
  admit() {
    if (this.held) {
      this.#ceiling = this.#store.highest;
    }
  }

  release() {
    this.#ceiling = Infinity;
  }

  /* Makes `rows` and `waiting` anew. */
  update() {
    const { filter } = this;
    const found = (seq) => this.#search.has(seq);

    this.rows = [];
    this.waiting = 0;
    for (const row of this.#candidates()) {
      if (!matches(filter, row, found)) {
        continue;
      }
      if (row.seq > this.#ceiling) {
        this.waiting += 1;
      } else {
        this.rows.push(row);
      }
    }
    if (!isNarrowing(filter)) {
      this.#putGaps();
    }
  }

  /* Each stands where the rows that it left out would. */
  #putGaps() {
    for (const gap of this.#store.gaps) {
      const at = this.rows.findIndex((row) => row.seq < gap.before);

      if (gap.before <= this.#ceiling) {
        this.rows.splice(at < 0 ? this.rows.length : at, 0, gapRow(gap));
      }
    }
  }

  /* The seqs that pass, those that wait too; null where the filter hides nothing. */
  passing() {
    const { filter } = this;
    const found = (seq) => this.#search.has(seq);

    if (!isNarrowing(filter)) {
      return null;
    }
    return new Set(
      this.#store.rows
        .filter((row) => matches({ ...filter, polls: true }, row, found))
        .map((row) => row.seq),
    );
  }

  #candidates() {
    if (!asksServer(this.filter)) {
      return this.#store.rows;
    }
    return merge(
      this.#store.rows,
      this.#search.rows().filter((row) => row.seq > this.#store.floor),
    );
  }
}
