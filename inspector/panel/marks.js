/*
 * One job: the marks that were set in this browser: their names and times, the newest first. The
 * counters behind them are the server's; where it restarted they are gone, and comparing says so.
 *
 * Tells 'change'.
 */

import { ApiError, addMark } from './api.js';
import { clock } from './format.js';
import { recall, remember } from './settings.js';

const STORED = 'marks';
const KEPT = 20;

function stored() {
  try {
    const marks = JSON.parse(recall(STORED) ?? '[]');

    return Array.isArray(marks)
      ? marks.filter(({ name, ts }) => typeof name === 'string' && Number.isFinite(ts))
      : [];
  } catch {
    return [];
  }
}

export class Marks extends EventTarget {
  #notices;

  constructor({ notices }) {
    super();
    this.#notices = notices;
    this.marks = stored();
  }

  /* Sets one; its name is its time, or the one that is given. */
  async set(wanted = '') {
    const ts = Date.now() / 1000;
    const name = wanted.trim() || clock(ts, { millis: false });

    try {
      const answer = await addMark(name);

      this.marks = [
        { name: answer?.name ?? name, ts: answer?.ts ?? ts },
        ...this.marks.filter((mark) => mark.name !== name),
      ].slice(0, KEPT);
      remember(STORED, JSON.stringify(this.marks));
      this.#notices.say(`Marked: ${name}`);
      this.dispatchEvent(new Event('change'));
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

  /* One that the server does not know any more. */
  forget(name) {
    this.marks = this.marks.filter((mark) => mark.name !== name);
    remember(STORED, JSON.stringify(this.marks));
    this.dispatchEvent(new Event('change'));
  }
}
