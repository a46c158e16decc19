/*
 * One job: pause and resume the capture: the button in the top bar, the banner while it is paused by
 * whomever, and what the server says to it.
 */

import { ApiError, setPaused } from './api.js';
import { button, el, icon } from './dom.js';

const SETTLE_MS = 2000;

export class Pause extends EventTarget {
  #feed;
  #notices;
  #button = document.getElementById('pause');
  #wanted = null; /* what was asked for; it holds until no older answer can still be on its way */
  #timer = 0;

  /* Tells 'change' when it is another state. */
  constructor({ feed, notices }) {
    super();
    this.#feed = feed;
    this.#notices = notices;
    this.banner = el(
      'div',
      { class: 'banner warn', role: 'status', hidden: true },
      el(
        'span',
        { class: 'banner-text' },
        'Capture is paused. Traffic flows; nothing new is kept.',
      ),
      button('Resume', () => this.toggle()),
    );
    this.#button.addEventListener('click', () => this.toggle());
    feed.addEventListener('info', () => this.show());
    feed.addEventListener('state', () => this.show());
    this.show();
  }

  get paused() {
    return this.#wanted ?? this.#feed.info?.paused === true;
  }

  async toggle() {
    const wanted = !this.paused;

    clearTimeout(this.#timer);
    this.#wanted = wanted; /* shown at once, taken back where it is refused */
    this.show();
    try {
      await setPaused(wanted);
      this.#notices.announce(wanted ? 'Capture is paused' : 'Capture goes on');
      this.#feed.retry();
      this.#timer = setTimeout(() => this.#let(), SETTLE_MS);
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this.#let();
      this.#notices.say(
        error.absent
          ? 'This Sightglass cannot pause its capture: it has no api/capture.'
          : `Capture was not ${wanted ? 'paused' : 'resumed'}. ${error.words}`,
      );
    }
  }

  show() {
    const { paused } = this;

    this.banner.hidden = !paused || this.#feed.state === 'down';
    if (this.#button.getAttribute('aria-pressed') === String(paused) && this.#button.firstChild) {
      return;
    }
    this.#button.setAttribute('aria-pressed', paused);
    this.#button.setAttribute('aria-label', paused ? 'Resume capture' : 'Pause capture');
    this.#button.replaceChildren(
      icon(paused ? 'play' : 'pause'),
      el('span', { class: 'button-word' }, paused ? 'Resume' : 'Pause'),
    );
    this.dispatchEvent(new Event('change'));
  }

  #let() {
    this.#wanted = null;
    this.show();
  }
}
