/*
 * One job: send an exchange again and know what came of it: asks once where a key alone would change
 * something, follows the new exchange to its end, and says why a replay was refused.
 *
 * `state` is null, 'asking', 'sending', 'done', 'refused' (a 409: it cannot be sent as it is kept) or
 * 'failed'. `onChange()` is called with each change.
 */

import { ApiError, getRecord, replayRequest, seqId } from './api.js';
import { duration } from './format.js';
import { isLive, isMutation, statusOf, toRow } from './model.js';

const FOLLOW_MS = 400;

export class Replay {
  #row = null;
  #abort = new AbortController();
  #onChange;
  #notices;

  constructor({ notices, onChange }) {
    this.#notices = notices;
    this.#onChange = onChange;
    this.#clear();
  }

  /* The exchange that is shown is another one. */
  reset(row) {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#row = row;
    this.#clear();
  }

  #clear() {
    this.state = null;
    this.row = null; /* of the new exchange */
    this.record = null; /* once it has ended */
    this.problem = '';
  }

  /* `asks`: a request that may change something is sent only after a second Enter. */
  start({ asks }) {
    if (asks && isMutation(this.#row.method)) {
      this.#set('asking');
    } else {
      this.send();
    }
  }

  cancel() {
    if (this.state === 'asking') {
      this.#set(null);
    }
  }

  async send(changes = {}) {
    const { signal } = this.#abort;

    this.#clear();
    this.#set('sending');
    try {
      const summary = await replayRequest(this.#row.seq, changes);

      if (!signal.aborted) {
        this.row = toRow(summary);
        this.#set('done');
        await this.#follow(signal);
      }
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this.problem = error.status === 409 ? error.message : error.words;
      this.#set(error.status === 409 ? 'refused' : 'failed');
    }
  }

  #set(state) {
    this.state = state;
    this.#onChange();
  }

  async #follow(signal) {
    do {
      this.record = await getRecord(seqId(this.row.seq), signal);
      this.row = toRow(this.record);
      this.#onChange();
      if (!isLive(this.row)) {
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
    } while (!signal.aborted);
    if (!signal.aborted) {
      const { word } = statusOf(this.row);

      this.#notices.say(
        `Replayed as exchange ${this.row.seq}: ${word} in ${duration(this.row.duration)}`,
      );
    }
  }
}
