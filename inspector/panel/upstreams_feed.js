/*
 * One job: know how the upstreams stand: asks once a second while somebody looks, now and then
 * otherwise, and keeps what was sampled of the last five minutes. Stops in a hidden tab.
 *
 * Tells 'change' after every answer and every failure.
 */

import { ApiError, listUpstreams } from './api.js';
import { inOrder, isDegraded } from './upstreams_model.js';

const WATCHED_MS = 1000;
const UNWATCHED_MS = 5000;
const KEPT_S = 300;

export class UpstreamsFeed extends EventTarget {
  #samples = new Map(); /* name: [{at, active, waiting, opened}…], the oldest first */
  #watched = false;
  #wake = () => {};

  constructor() {
    super();
    this.items = null; /* in the order to show; null until the first answer */
    this.problem = null; /* why the last question had no answer: an ApiError */
    document.addEventListener('visibilitychange', () => this.#wake());
  }

  async run() {
    for (;;) {
      while (document.hidden) {
        await this.#sleep(Infinity);
      }
      await this.#ask();
      await this.#sleep(this.#watched ? WATCHED_MS : UNWATCHED_MS);
    }
  }

  /* Whether somebody looks: then it asks at once, and more often. */
  watch(on) {
    this.#watched = on;
    if (on) {
      this.#wake();
    }
  }

  get degraded() {
    return (this.items ?? []).filter(isDegraded);
  }

  /* What was sampled of that upstream, the oldest first: {at, active, waiting, opened}; `at` in
   * seconds of this machine's clock. */
  samples(name) {
    return this.#samples.get(name) ?? [];
  }

  /* Connections opened a second, between the last two samples; NaN before there are two. */
  connectRate(name) {
    const samples = this.samples(name);
    const [before, last] = samples.slice(-2);

    if (samples.length < 2 || last.opened < before.opened) {
      return NaN;
    }
    return (last.opened - before.opened) / Math.max(last.at - before.at, 0.001);
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
      const { items } = await listUpstreams();

      this.#sample(items);
      this.items = inOrder(items);
      this.problem = null;
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this.problem = error;
    }
    this.dispatchEvent(new Event('change'));
  }

  #sample(items) {
    const at = performance.now() / 1000;
    const all = new Map();

    for (const { name, active, waiting, opened } of items) {
      const samples = this.samples(name);

      samples.push({ at, active, waiting, opened });
      while (samples[0].at < at - KEPT_S) {
        samples.shift();
      }
      all.set(name, samples);
    }
    this.#samples = all;
  }
}
