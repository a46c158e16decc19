/*
 * One job: keep the polls found among the rows, with what would help each: every two seconds while
 * somebody looks, now and then otherwise. Tells 'change'.
 */

import { adviceFor } from './advice.js';
import { PollFields } from './poll_fields.js';
import { findPolls, sumPolls } from './poll_groups.js';
import { serverNow } from './server_clock.js';

const WATCHED_MS = 2000;
const UNWATCHED_MS = 6000;

export class PollsWatch extends EventTarget {
  #store;
  #routes;
  #upstreams;
  #fields = new PollFields();
  #watched = false;
  #last = -Infinity;

  constructor({ store, feed, routes, upstreams }) {
    super();
    this.#store = store;
    this.#routes = routes;
    this.#upstreams = upstreams;
    this.polls = null; /* [{poll, advice: […]}…], null before the first look */
    this.sum = null;
    feed.addEventListener('state', () => feed.state === 'live' && this.#look());
    this.#fields.addEventListener('change', () => this.#look());
    setInterval(() => this.#tick(), WATCHED_MS / 2);
  }

  watch(on) {
    this.#watched = on;
    this.#routes.watch(on);
    if (on) {
      this.#look();
    }
  }

  #tick() {
    const due = this.#watched ? WATCHED_MS : UNWATCHED_MS;

    if (!document.hidden && performance.now() - this.#last >= due) {
      this.#look();
    }
  }

  #look() {
    const { rows } = this.#store;
    const now = serverNow();
    const polls = findPolls(rows, this.#routes, now);
    const context = {
      fieldsOf: (poll) => this.#fields.of(poll),
      upstreams: this.#upstreams.items,
    };

    this.#last = performance.now();
    this.polls = polls.map((poll) => ({ poll, advice: adviceFor(poll, context) }));
    this.sum = sumPolls(polls, rows, now);
    this.sum.saved = this.polls.reduce((sum, { advice }) => sum + (advice[0]?.saves.calls ?? 0), 0);
    this.dispatchEvent(new Event('change'));
  }
}
