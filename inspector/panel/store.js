/*
 * One job: the rows that the page holds, newest first, bounded. Tells 'change' after every batch that
 * changed anything. Polls give way first, so that a flood of them never pushes out the exchanges.
 */

import { differs, isFailed, isLive } from './model.js';

export const ROW_LIMIT = 5000;
export const POLL_SHARE = 1000; /* polls that stay however many exchanges there are */

export class Store extends EventTarget {
  constructor(limit = ROW_LIMIT) {
    super();
    this.limit = limit;
    this.rows = [];
    this.bySeq = new Map();
    this.live = new Set();
    this.highest = 0;
    this.floor = 0; /* rows up to it were set aside and do not come back by themselves */
    this.gaps = []; /* {after, before, missed}: seqs between the two that the page was not told of */
  }

  addGap(gap) {
    this.gaps.push(gap);
    this.#tell();
  }

  removeGap(gap) {
    this.gaps = this.gaps.filter((each) => each !== gap);
    this.#tell();
  }

  get(seq) {
    return this.bySeq.get(seq);
  }

  /* How many of each the page holds; failed ones among the exchanges and among the polls. */
  tally() {
    const tally = { exchanges: 0, polls: 0, failedExchanges: 0, failedPolls: 0 };

    for (const row of this.rows) {
      const failed = isFailed(row) ? 1 : 0;

      if (row.poll) {
        tally.polls += 1;
        tally.failedPolls += failed;
      } else {
        tally.exchanges += 1;
        tally.failedExchanges += failed;
      }
    }
    return tally;
  }

  /* Adds rows and renews those already held. Any order. */
  put(rows) {
    const added = [];
    let changed = false;

    for (const row of rows) {
      if (row.seq <= this.floor) {
        continue;
      }
      if (this.bySeq.has(row.seq)) {
        changed = this.#renew(row) || changed;
      } else {
        this.bySeq.set(row.seq, row);
        this.#noteLive(row);
        added.push(row);
      }
    }
    if (added.length > 0) {
      this.#merge(added);
      this.#trim();
      changed = true;
    }
    if (changed) {
      this.#tell();
    }
  }

  /* Renews rows that are held; others are not taken in. */
  update(rows) {
    let changed = false;

    for (const row of rows) {
      changed = (this.bySeq.has(row.seq) && this.#renew(row)) || changed;
    }
    if (changed) {
      this.#tell();
    }
  }

  remove(seqs) {
    const gone = new Set(seqs);

    if (gone.size > 0) {
      this.#keep((row) => !gone.has(row.seq));
      this.#tell();
    }
  }

  clear() {
    this.#keep(() => false);
    this.gaps = [];
    this.highest = 0;
    this.floor = 0;
    this.#tell();
  }

  /* Takes all rows out and returns them; only newer ones come in until restore() or clear(). */
  setAside() {
    const rows = this.rows;

    this.#keep(() => false);
    this.floor = this.highest;
    this.#tell();
    return rows;
  }

  restore(rows) {
    this.floor = 0;
    this.put(rows);
  }

  /* The rows are renewed in place: whoever holds one sees its new state under a new revision. */
  #renew(row) {
    const held = this.bySeq.get(row.seq);

    if (!differs(held, row)) {
      return false;
    }
    Object.assign(held, row, { revision: held.revision + 1 });
    this.#noteLive(held);
    return true;
  }

  #noteLive(row) {
    if (isLive(row)) {
      this.live.add(row.seq);
    } else {
      this.live.delete(row.seq);
    }
  }

  /* Both lists are sorted once merged; the usual batch is newer than all that is held. */
  #merge(added) {
    added.sort((a, b) => b.seq - a.seq);
    this.highest = Math.max(this.highest, added[0].seq);
    if (this.rows.length === 0 || added[added.length - 1].seq > this.rows[0].seq) {
      this.rows = added.concat(this.rows);
      return;
    }

    const merged = [];
    let next = 0;

    for (const row of this.rows) {
      while (next < added.length && added[next].seq > row.seq) {
        merged.push(added[next]);
        next += 1;
      }
      merged.push(row);
    }
    this.rows = merged.concat(added.slice(next));
  }

  #trim() {
    let excess = this.rows.length - this.limit;

    if (excess <= 0) {
      return;
    }

    const gone = new Set();
    let polls = this.rows.reduce((sum, row) => sum + (row.poll ? 1 : 0), 0);

    for (let i = this.rows.length - 1; i >= 0 && excess > 0 && polls > POLL_SHARE; i -= 1) {
      if (this.rows[i].poll) {
        gone.add(this.rows[i].seq);
        polls -= 1;
        excess -= 1;
      }
    }
    for (let i = this.rows.length - 1; i >= 0 && excess > 0; i -= 1) {
      if (!gone.has(this.rows[i].seq)) {
        gone.add(this.rows[i].seq);
        excess -= 1;
      }
    }
    this.#keep((row) => !gone.has(row.seq));
  }

  #keep(stays) {
    const rows = [];

    for (const row of this.rows) {
      if (stays(row)) {
        rows.push(row);
      } else {
        this.bySeq.delete(row.seq);
        this.live.delete(row.seq);
      }
    }
    this.rows = rows;
  }

  #tell() {
    this.dispatchEvent(new Event('change'));
  }
}
