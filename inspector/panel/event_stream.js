/*
 * One job: follow api/events while somebody looks: the browser reconnects by itself and says where it
 * was. Where it is refused again and again the list has to do.
 *
 * `handlers` are {onOpen(), onRequest(summary), onGap(gap), onCounts(counts)}; a gap is {before, missed}:
 * the seq below which the page was not told of `missed` exchanges, NaN where it is not known how many.
 */

const PATH = 'api/events?polls=1';
const RETRY_MS = 5000; /* after an end that the browser does not mend */
const FORGOTTEN = new Set(['cleared', 'restarted']); /* why all that the page knows may be gone */
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
    this.#refused = 0;
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
    on('gap', ({ reason, before, missed }) => {
      if (FORGOTTEN.has(reason)) {
        this.#handlers.onOpen(); /* the list says what is left */
      } else {
        this.#handlers.onGap({ before, missed: missed ?? NaN });
      }
    });
    on('stats', (counts) => this.#handlers.onCounts(counts));
  }
}
