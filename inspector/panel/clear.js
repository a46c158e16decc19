/*
 * One job: clear what is kept, without asking, but not at once: the rows go, and for five seconds Undo
 * brings them back. Only then is the server told.
 */

import { ApiError, clearRequests } from './api.js';
import { plural } from './format.js';

const WAIT_MS = 5000;

export class Clear {
  #store;
  #feed;
  #notices;
  #rows = null; /* what waits to be cleared */
  #timer = 0;

  constructor({ store, feed, notices }) {
    this.#store = store;
    this.#feed = feed;
    this.#notices = notices;
  }

  start() {
    const { exchanges, polls } = this.#store.tally();

    if (exchanges + polls === 0) {
      return;
    }
    /* Again within the five seconds: both go together. */
    clearTimeout(this.#timer);
    this.#rows = [...this.#store.setAside(), ...(this.#rows ?? [])];
    this.#timer = setTimeout(() => this.#finish(), WAIT_MS);

    const what = [
      exchanges > 0 && plural(exchanges, 'exchange', 'exchanges'),
      polls > 0 && plural(polls, 'poll', 'polls'),
    ];

    this.#notices.say(`Cleared ${what.filter(Boolean).join(' and ')}.`, {
      ms: WAIT_MS,
      action: { label: 'Undo', run: () => this.#undo() },
    });
  }

  #undo() {
    if (this.#rows !== null) {
      clearTimeout(this.#timer);
      this.#putBack();
      this.#notices.say('Nothing was cleared.');
    }
  }

  #putBack() {
    const rows = this.#rows;

    this.#rows = null;
    this.#store.restore(rows);
  }

  async #finish() {
    try {
      await clearRequests();
      this.#rows = null;
      this.#feed.reload();
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this.#putBack();
      this.#notices.say(`Nothing was cleared: ${error.message}`);
    }
  }
}
