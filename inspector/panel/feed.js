/*
 * One job: keep the store like the server's ring. Loads what is kept, then asks about once a second for
 * what is newer and for what became of the exchanges in flight. Stops in a hidden tab, backs off while
 * there is no connection, and starts over where the server did.
 *
 * Tells 'state' (loading, live, down), 'info' (the ring's figures have come) and 'news' (detail: the
 * seq after which something is new or has ended).
 */

import { ApiError, listRequests } from './api.js';
import { toRow } from './model.js';
import { learnServerTime } from './server_clock.js';
import { POLL_SHARE } from './store.js';

const PERIOD_MS = 1000;
const PAGE = 1000; /* the most that one answer holds */
const FIRST_PAGE = 200; /* small, so that the first rows show at once */
const BACKOFF_MS = [1000, 2000, 4000, 8000, 15000];
const LOOKUPS = 4; /* requests per round for exchanges that ended */
const RECENT = 20; /* rows by which a server is known again */
const NEAR = 100; /* ended exchanges at most this far apart are looked up together */

export class Feed extends EventTarget {
  #store;
  #loaded = false;
  #seen = 0; /* the highest seq so far */
  #settled = 0; /* the highest seq of the round before: workers may publish a little out of order */
  #failures = 0;
  #generation = 0; /* of what is loaded: answers from before a reload are dropped */
  #wake = () => {};

  constructor(store) {
    super();
    this.#store = store;
    this.state = 'loading';
    this.info = null; /* the last answer's figures, without its items */
    this.since = 0; /* when the connection went, Date.now() */
    this.nextTry = 0;
    this.hadRows = false; /* since the page was opened */
    this.problem = null; /* why there is no connection: an ApiError */
    document.addEventListener('visibilitychange', () => this.#wake());
  }

  async run() {
    for (;;) {
      while (document.hidden) {
        await this.#sleep(Infinity);
      }
      await this.#round();
      await this.#sleep(this.state === 'down' ? this.nextTry - Date.now() : PERIOD_MS);
    }
  }

  /* Asks now instead of waiting. */
  retry() {
    this.#wake();
  }

  /* Forgets all rows and loads what the server holds now. */
  reload() {
    this.#startOver();
    this.#wake();
  }

  #sleep(ms) {
    return new Promise((resolve) => {
      const timer = ms === Infinity ? 0 : setTimeout(resolve, Math.max(0, ms));

      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #startOver() {
    this.#generation += 1;
    this.#loaded = false;
    this.#seen = 0;
    this.#settled = 0;
    this.info = null;
    this.#store.clear();
    this.#setState('loading');
  }

  #setState(state) {
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }

  async #round() {
    const generation = this.#generation;

    try {
      /* After a break the server may be another one, whose seqs begin anew. */
      if (this.#loaded && this.#failures > 0 && (await this.#isAnother())) {
        this.#startOver();
      }
      await (this.#loaded ? this.#catchUp() : this.#load());
      this.#failures = 0;
      this.problem = null;
      if (this.#loaded && this.state !== 'live') {
        this.#setState('live');
      }
    } catch (error) {
      if (error instanceof ApiError) {
        this.#fail(error);
      } else if (!(error instanceof Outdated)) {
        throw error;
      }
    }
    if (generation !== this.#generation && !this.#loaded) {
      await this.#round();
    }
  }

  #fail(error) {
    if (this.#failures === 0) {
      this.since = Date.now();
    }
    this.nextTry = Date.now() + BACKOFF_MS[Math.min(this.#failures, BACKOFF_MS.length - 1)];
    this.#failures += 1;
    this.problem = error;
    this.#setState('down');
  }

  /* One page of summaries: the body, its items made rows. */
  async #list(query) {
    const generation = this.#generation;
    const { body, date } = await listRequests({ limit: PAGE, ...query });

    if (generation !== this.#generation) {
      throw new Outdated();
    }
    learnServerTime(date);
    return { ...body, items: body.items.map((item) => toRow(item)) };
  }

  /* One page of rows, into the store; its figures become `info`. */
  async #read(query) {
    const { items, ...info } = await this.#list(query);

    this.#seen = items.reduce((highest, row) => Math.max(highest, row.seq), this.#seen);
    this.#store.put(items);
    this.hadRows ||= items.length > 0;
    this.info = info;
    this.dispatchEvent(new Event('info'));
    return info;
  }

  async #load() {
    /* The exchanges first, so that there is room for them however many polls there are. */
    const first = await this.#read({ limit: FIRST_PAGE });

    await this.#readOn({}, first, this.#store.limit - POLL_SHARE);

    const all = { polls: 1 };

    await this.#readOn(all, await this.#read(all), this.#store.limit);
    this.#loaded = true;
    this.#settled = this.#seen;
  }

  /* The pages after `page`, until there is no more or the store holds `enough`. */
  async #readOn(query, page, enough) {
    while (page.next !== null && this.#store.rows.length < enough) {
      page = await this.#read({ ...query, before: page.next });
    }
  }

  async #catchUp() {
    const held = this.info;
    const before = this.#settled;
    const from = this.#seen;
    let page = await this.#read({ polls: 1, after: before });

    /* All that ever came in grows; where it shrank, the ring was cleared, or a record given up. */
    if (page.count + page.evicted < held.count + held.evicted && (await this.#isAnother())) {
      this.#startOver();
      return;
    }
    for (let read = PAGE; page.next !== null && read < this.#store.limit; read += PAGE) {
      page = await this.#read({ polls: 1, after: before, before: page.next });
    }
    this.#settled = from;

    const ended = await this.#followLive();

    if (this.#seen > from || ended.length > 0) {
      const detail = Math.min(before, ...ended.map((seq) => seq - 1));

      this.dispatchEvent(new CustomEvent('news', { detail }));
    }
  }

  /* Whether the server holds none of what the page knows it to have held last. */
  async #isAnother() {
    const { items } = await this.#list({ polls: 1, before: this.#settled + 1, limit: RECENT });

    return !items.some((row) => this.#store.get(row.seq)?.requestId === row.requestId);
  }

  /* Renews what is in flight; returns the seqs of what ended. */
  async #followLive() {
    const store = this.#store;

    if (store.live.size === 0) {
      return [];
    }

    const asked = [...store.live].sort((a, b) => a - b);
    const tunnels = asked.some((seq) => store.get(seq).state === 'tunnel');
    const seen = new Set();
    let reach = 0; /* where not all fit into an answer, the older ones wait for the next round */

    for (const state of tunnels ? ['active', 'tunnel'] : ['active']) {
      const { items, next } = await this.#list({ state });

      items.forEach((row) => seen.add(row.seq));
      reach = Math.max(reach, next ?? 0);
      store.update(items);
    }

    const unseen = asked.filter((seq) => seq >= reach && !seen.has(seq));

    for (const [oldest, newest] of together(unseen).slice(0, LOOKUPS)) {
      await this.#lookUp(unseen.filter((seq) => seq >= oldest && seq <= newest));
    }
    return asked.filter((seq) => !store.live.has(seq));
  }

  /* What became of exchanges that are near each other, oldest first; one that is not kept goes. */
  async #lookUp(seqs) {
    const range = { after: seqs[0] - 1, before: seqs[seqs.length - 1] + 1 };
    const { items } = await this.#list(range);
    const found = new Set(items.map((row) => row.seq));

    this.#store.update(items);
    this.#store.remove(seqs.filter((seq) => !found.has(seq)));
  }
}

/* An answer to a question from before a reload. */
class Outdated extends Error {}

/* Groups rising seqs into [oldest, newest] spans that hold few others. */
function together(seqs) {
  const spans = [];

  for (const seq of seqs) {
    const last = spans[spans.length - 1];

    if (last && seq - last[1] <= NEAR && seq - last[0] < PAGE) {
      last[1] = seq;
    } else {
      spans.push([seq, seq]);
    }
  }
  return spans;
}
