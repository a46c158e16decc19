/*
 * One job: say whether the page is connected: the dot in the top bar, and a banner while it is not. The
 * banner of a paused capture stands in the same place.
 */

import { button, el } from './dom.js';
import { clock } from './format.js';

const TICK_MS = 500;

const WORDS = { loading: 'Loading', live: 'Live', down: 'Offline' };

export class Connection {
  #feed;
  #notices;
  #pause;
  #live = document.getElementById('live');
  #word = document.getElementById('live-word');
  #address = document.getElementById('live-address');
  #text = el('span', { class: 'banner-text' });
  #wasDown = false;

  constructor({ feed, notices, pause }) {
    this.#feed = feed;
    this.#notices = notices;
    this.#pause = pause;
    this.banner = el(
      'div',
      { class: 'banner bad', hidden: true },
      this.#text,
      button('Try now', () => feed.retry()),
    );
    feed.addEventListener('state', () => this.#show());
    pause.addEventListener('change', () => this.#show());
    feed.addEventListener('info', () => this.#showAddress());
    setInterval(() => this.#count(), TICK_MS);
    this.#show();
  }

  #show() {
    const { state } = this.#feed;
    const down = state === 'down';

    const paused = state === 'live' && this.#pause.paused;

    this.#live.className = `live ${paused ? 'paused' : state}`;
    this.#word.textContent = paused ? 'Paused' : WORDS[state];
    this.banner.hidden = !down;
    this.#count();
    if (down && !this.#wasDown) {
      this.#notices.alert('The connection to Sightglass is gone');
    } else if (state === 'live' && this.#wasDown) {
      this.#notices.alert('Connected again');
    }
    this.#wasDown = down || (this.#wasDown && state !== 'live');
  }

  #count() {
    const { state, since, nextTry, problem } = this.#feed;

    if (state !== 'down') {
      return;
    }

    const seconds = Math.max(0, Math.ceil((nextTry - Date.now()) / 1000));
    const what =
      problem.status === 0
        ? `No connection since ${clock(since / 1000, { millis: false })}.`
        : refusalWords(problem);

    this.#text.textContent = `${what} Trying again in ${seconds} s.`;
  }

  /* Puts the banners after that element of the view that is shown. */
  placeAfter(element) {
    element.after(this.banner, this.#pause.banner);
  }

  /* Puts them at the top of a page. */
  placeIn(element) {
    element.prepend(this.banner, this.#pause.banner);
  }

  #showAddress() {
    const addresses = this.#feed.info?.server?.listen ?? [];

    this.#address.textContent = addresses[0] ?? '';
    this.#live.title = addresses.join('\n');
  }
}

function refusalWords({ status, message }) {
  if (status === 401) {
    return 'Sightglass asks for its token: open the panel by the address it printed at its start.';
  }
  return `Sightglass answered ${status}: ${message.replace(/\.$/, '')}.`;
}
