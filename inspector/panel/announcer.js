/*
 * One job: tell a screen reader what came in: a count now and then, a failure at once. What was there
 * when the page was opened is not told.
 */

import { plural } from './format.js';
import { isFailed, isHard, statusOf } from './model.js';

export class Announcer {
  #store;
  #notices;
  #told = 0; /* the highest seq that was counted */

  constructor({ store, notices }) {
    this.#store = store;
    this.#notices = notices;
  }

  update() {
    const { rows, highest } = this.#store;
    let came = 0;
    let failed = 0;
    let loudest = null;

    if (this.#told === 0 || highest < this.#told) {
      this.#told = highest;
      return;
    }
    for (const row of rows) {
      if (row.seq <= this.#told) {
        break;
      }
      if (!row.poll) {
        came += 1;
        failed += isFailed(row) ? 1 : 0;
        loudest ??= isHard(row) ? row : null;
      }
    }
    this.#told = highest;
    if (loudest) {
      this.#notices.alert(`${statusOf(loudest).word} ${loudest.method} ${loudest.path}`);
    }
    if (came > 0) {
      const words = plural(came, 'new exchange', 'new exchanges');

      this.#notices.announce(failed > 0 ? `${words}, ${failed} failed` : words);
    }
  }
}
