/*
 * One job: know the statistics of the routes: asks every two seconds while somebody looks, now and then
 * otherwise, and keeps what was counted over the last five minutes. Stops in a hidden tab; where this
 * Sightglass has no such statistics it asks again only when somebody looks.
 *
 * Tells 'change' after every answer and every failure.
 */

import { ApiError, listRoutes } from './api.js';
import { toRoute } from './routes_model.js';

const WATCHED_MS = 2000;
const UNWATCHED_MS = 15000;
const KEPT_S = 300;
const SAMPLE_S = 10; /* at least between two that are kept */

export class RoutesFeed extends EventTarget {
  #watchers = 0;
  #samples = []; /* {at, unchanged: Map(key -> {compared, unchanged})}, the oldest first */
  #wake = () => {};

  constructor() {
    super();
    this.items = null; /* null until the first answer */
    this.problem = null; /* why the last question had no answer: an ApiError */
    document.addEventListener('visibilitychange', () => this.#wake());
  }

  async run() {
    for (;;) {
      while (document.hidden || (this.problem?.absent && this.#watchers === 0)) {
        await this.#sleep(Infinity);
      }
      await this.#ask();
      await this.#sleep(this.#watchers > 0 ? WATCHED_MS : UNWATCHED_MS);
    }
  }

  /* Whether one more looks, or one less: then it asks at once, and more often. */
  watch(on) {
    this.#watchers += on ? 1 : -1;
    if (on) {
      this.#wake();
    }
  }

  /* {compared, unchanged} of a route over the time that was watched; since the start before that. */
  unchangedOf(item) {
    const before = this.#samples[0]?.unchanged.get(item.key);

    if (!before || item.compared - before.compared < 1) {
      return { compared: item.compared, unchanged: item.unchanged };
    }
    return {
      compared: item.compared - before.compared,
      unchanged: item.unchanged - before.unchanged,
    };
  }

  #sleep(ms) {
    return new Promise((resolve) => {
      const timer = ms === Infinity ? 0 : setTimeout(resolve, ms);

      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #ask() {
    try {
      const { items } = await listRoutes();

      this.items = items.map(toRoute);
      this.problem = null;
      this.#sample();
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this.problem = error;
    }
    this.dispatchEvent(new Event('change'));
  }

  #sample() {
    const at = performance.now() / 1000;
    const last = this.#samples.at(-1);

    if (last && at - last.at < SAMPLE_S) {
      return;
    }
    this.#samples.push({
      at,
      unchanged: new Map(
        this.items.map(({ key, compared, unchanged }) => [key, { compared, unchanged }]),
      ),
    });
    while (this.#samples[0].at < at - KEPT_S) {
      this.#samples.shift();
    }
  }
}
