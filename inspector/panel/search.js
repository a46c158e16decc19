/*
 * One job: the server's half of a filter. Finds the text in headers and bodies, and matches that are
 * older than what the page holds. Tells 'change' when the answer is there or has grown.
 */

import { ApiError, listRequests } from './api.js';
import { asksServer, toQuery } from './filter.js';
import { toRow } from './model.js';

const PAGE = 1000; /* matches kept: the newest */
const SETTLE_MS = 200; /* a pause in typing */

export class Search extends EventTarget {
  #query = null;
  #found = new Map();
  #timer = 0;
  #abort = new AbortController();
  #answered = false;

  constructor() {
    super();
    this.problem = null; /* why the server refused the filter, in words */
  }

  /* A new filter: what was found before is forgotten at once, the server is asked after a pause. */
  set(filter) {
    const query = asksServer(filter) ? toQuery(filter) : null;

    if (JSON.stringify(query) === JSON.stringify(this.#query)) {
      return;
    }
    this.#query = query;
    this.reset();
  }

  /* Forgets what was found and asks again. */
  reset() {
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#found.clear();
    this.#answered = false;
    this.problem = null;
    if (this.#query !== null) {
      this.#timer = setTimeout(() => this.#ask(), SETTLE_MS);
    }
  }

  has(seq) {
    return this.#found.has(seq);
  }

  /* The rows that were found, newest first. */
  rows() {
    return [...this.#found.values()].sort((a, b) => b.seq - a.seq);
  }

  /* Looks again at what is newer than `seq`: new exchanges, and those that ended since. */
  follow(seq) {
    if (this.#answered) {
      this.#ask({ after: seq });
    }
  }

  async #ask(range = {}) {
    const { signal } = this.#abort;

    try {
      const { body } = await listRequests(
        { ...this.#query, ...range, limit: PAGE, polls: 1 },
        signal,
      );

      if (!signal.aborted) {
        this.#take(body.items);
      }
    } catch (error) {
      if (!signal.aborted && error instanceof ApiError && error.status >= 400) {
        this.problem = error.message;
        this.dispatchEvent(new Event('change'));
      }
    }
  }

  #take(items) {
    this.#answered = true;
    for (const item of items) {
      this.#found.set(item.seq, toRow(item));
    }
    if (this.#found.size > PAGE) {
      this.#found = new Map(
        this.rows()
          .slice(0, PAGE)
          .map((row) => [row.seq, row]),
      );
    }
    if (items.length > 0) {
      this.dispatchEvent(new Event('change'));
    }
  }
}
