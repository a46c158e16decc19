/*
 * One job: follow api/events while somebody looks: the browser reconnects by itself and says where it
 * was. Where this Sightglass has no such stream it is not asked for again.
 *
 * `handlers` are {onOpen(), also called where all was cleared, onRequest(summary), onGap(gap), onCounts(counts)}; a gap is {missed}, NaN
 * where that is not known.
 */

const PATH = 'api/events?polls=1';
const RETRY_MS = 5000; /* after an end that the browser does not mend */
const GIVE_UP = 3; /* refusals in a row */

function read(event) {
  try {
    return JSON.parse(event.data);
  } catch {
    return null; /* a broken event is skipped: the list is read all the same */
  }
}

export class EventStream {
  #source = null;
  #handlers;
  #timer = 0;
  #refused = 0;
  #wanted = false;

  constructor(handlers) {
    this.#handlers = handlers;
  }

  /* Whether events come. */
  get open() {
    return this.#source?.readyState === EventSource.OPEN;
  }

  start() {
    this.#wanted = true;
    if (this.#source === null && this.#refused < GIVE_UP) {
      this.#connect();
    }
  }

  stop() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #connect() {
    const source = new EventSource(PATH);
    const on = (name, take) =>
      source.addEventListener(name, (event) => {
        const data = read(event);

        if (data !== null && source === this.#source) {
          take(data);
        }
      });

    this.#source = source;
    source.addEventListener('open', () => {
      this.#refused = 0;
      this.#handlers.onOpen();
    });
    source.addEventListener('error', () => {
      if (source === this.#source && source.readyState === EventSource.CLOSED) {
        this.#source = null;
        this.#refused += 1;
        if (this.#wanted && this.#refused < GIVE_UP) {
          this.#timer = setTimeout(() => this.#connect(), RETRY_MS);
        }
      }
    });
    on('request', (summary) => this.#handlers.onRequest(summary));
    on('gap', (gap) => this.#handlers.onGap({ missed: gap.missed ?? gap.count ?? NaN }));
    on('stats', (counts) => this.#handlers.onCounts(counts));
    on('evicted', (counts) => this.#handlers.onCounts(counts));
    on('cleared', () => this.#handlers.onOpen());
  }
}
