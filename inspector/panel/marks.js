/*
 * One job: the marks that are set, by whomever: their names, their times and how long the period is that
 * each ends. They are the server's; a restart forgets them.
 *
 * Tells 'change'.
 */

import { ApiError, addMark, listMarks } from './api.js';
import { clock } from './format.js';

export class Marks extends EventTarget {
  #notices;

  constructor({ notices }) {
    super();
    this.#notices = notices;
    this.marks = null; /* [{name, ts, seconds}…], the newest first; null before the first answer */
    this.problem = null; /* why there was none: an ApiError */
  }

  async refresh() {
    try {
      const { items } = await listMarks();

      this.marks = items
        .map(({ name, ts }, i) => ({ name, ts, seconds: i > 0 ? ts - items[i - 1].ts : NaN }))
        .reverse();
      this.problem = null;
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this.problem = error;
    }
    this.dispatchEvent(new Event('change'));
  }

  /* Sets one; its name is its time. */
  async set() {
    const name = clock(Date.now() / 1000, { millis: false });

    try {
      await addMark(name);
      this.#notices.say(`Marked: ${name}`);
      await this.refresh();
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this.#notices.say(
        error.absent
          ? 'This Sightglass cannot mark: it has no api/marks.'
          : `No mark was set. ${error.words}`,
      );
    }
  }
}
