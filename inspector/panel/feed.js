/*
 * One job: keep the store like the server's ring. Loads what is kept, then takes what api/events tells;
 * asks for what is newer, and for what became of the exchanges in flight, about once a second, or now
 * and then while events come. Stops in a hidden tab, backs off while there is no connection, and starts
 * over where the server did.
 *
 * Tells 'state' (loading, live, down), 'info' (the ring's figures have come) and 'news' (detail: the
 * seq after which something is new or has ended).
 */

import { ApiError, listRequests } from './api.js';
import { EventStream } from './event_stream.js';
import { toRow } from './model.js';
import { learnServerTime } from './server_clock.js';
import { POLL_SHARE } from './store.js';

const PERIOD_MS = 1000;
const PERIOD_WITH_EVENTS_MS = 5000; /* the list is read all the same: what was lost on the way is found */
const NEWS_MS = 500;
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
  #stream;
  #came = []; /* rows that events brought and the next frame takes */
  #newsFrom = Infinity;

  constructor(store) {
    super();
    this.#store = store;
    this.state = 'loading';
    this.info = null; /* the last answer's figures, without its items */
    this.since = 0; /* when the connection went, Date.now() */
    this.nextTry = 0;
    this.hadRows = false; /* since the page was opened */
    this.problem = null; /* why there is no connection: an ApiError */
    this.#stream = new EventStream({
      onOpen: () => this.#wake(), /* what came before it is read from the list */
      onRequest: (summary) => this.#take(summary),
      onGap: (gap) => this.#leaveOut(gap),
      onCounts: (counts) => this.#count(counts),
    });
    document.addEventListener('visibilitychange', () => this.#wake());
    setInterval(() => this.#tellNews(), NEWS_MS);
  }

  async run() {
    for (;;) {
      while (document.hidden) {
        this.#stream.stop();
        await this.#sleep(Infinity);
      }
      await this.#round();
      if (this.#loaded) {
        this.#stream.start();
      }
      await this.#sleep(this.#pause());
    }
  }

  /* Until the next round. What is in flight counts its bytes only in the list. */
  #pause() {
    if (this.state === 'down') {
      return this.nextTry - Date.now();
    }
    return this.#stream.open && this.#store.live.size === 0 ? PERIOD_WITH_EVENTS_MS : PERIOD_MS;
  }

  /* --- events */

  #take(summary) {
    if (!this.#loaded || !Number.isFinite(summary.seq)) {
      return;
    }
    this.#came.push(toRow(summary));
    if (this.#came.length === 1) {
      requestAnimationFrame(() => this.#takeAll());
    }
  }

  /* A line in the table stands for them until somebody asks; the list is not read for them. */
  #leaveOut({ before, missed }) {
    this.#takeAll();
    if (this.#loaded && before - 1 > this.#seen) {
      this.#store.addGap({ after: this.#seen, before, missed });
      this.#settled = before - 1;
      this.#seen = before - 1;
    }
  }

  /* Once a frame, however many there were. */
  #takeAll() {
    const rows = this.#came;

    this.#came = [];
    if (this.#loaded && rows.length > 0) {
      this.#newsFrom = Math.min(this.#newsFrom, ...rows.map(({ seq }) => seq - 1));
      this.#seen = rows.reduce((highest, { seq }) => Math.max(highest, seq), this.#seen);
      this.hadRows = true;
      this.#store.put(rows);
    }
  }

  #count(counts) {
    if (this.info !== null && Number.isFinite(counts.count)) {
      this.info = { ...this.info, ...counts };
      this.dispatchEvent(new Event('info'));
    }
  }

  #tellNews() {
    if (this.#newsFrom !== Infinity) {
      this.dispatchEvent(new CustomEvent('news', { detail: this.#newsFrom }));
      this.#newsFrom = Infinity;
    }
  }

  /* The rows that a gap left out, as far as they are kept. */
  async fillGap(gap) {
    let page = { next: gap.before };
    const rows = [];

    try {
      do {
        const answer = await this.#list({ polls: 1, after: gap.after, before: page.next });

        rows.push(...answer.items);
        page = answer;
      } while (page.next !== null && rows.length < this.#store.limit);
    } catch (error) {
      if (error instanceof ApiError || error instanceof Outdated) {
        return; /* the line stays, to be pressed again */
      }
      throw error;
    }
    this.#store.removeGap(gap);
    this.#store.put(rows);
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
    this.#came = [];
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
