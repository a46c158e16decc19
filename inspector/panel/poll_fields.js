/*
 * One job: know which fields a poll's answers bear, from its newest record that is kept: so that nothing
 * is advised that the API sends already. One record a poll, and again only after a while.
 */

import { ApiError, getRecord, seqId } from './api.js';

const RENEW_MS = 60000;

export class PollFields extends EventTarget {
  #known = new Map(); /* key -> {at, fields: Map | null} */

  /* The fields by lower-case name; null while none is known. Asks where it is worth asking. */
  of(poll) {
    const known = this.#known.get(poll.key);
    const newest = poll.calls.findLast((row) => !row.poll && !row.live && row.status === 200);

    if (newest && (!known || performance.now() - known.at > RENEW_MS)) {
      this.#known.set(poll.key, { at: performance.now(), fields: known?.fields ?? null });
      this.#ask(poll.key, newest.seq);
    }
    return known?.fields ?? null;
  }

  async #ask(key, seq) {
    try {
      const record = await getRecord(seqId(seq));
      const fields = new Map(
        (record.response_headers ?? []).map(({ name, value }) => [name.toLowerCase(), value]),
      );

      this.#known.set(key, { at: performance.now(), fields });
      this.dispatchEvent(new Event('change'));
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      /* gone meanwhile: the next one will do */
    }
  }
}
