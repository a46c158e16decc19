/*
 * One job: one upstream as a card: its pool, what it did, and how it stands. Made once and then only
 * filled anew, so that counting figures change their text and nothing else.
 */

import { el, put, setStyle } from './dom.js';
import { capital, clock, count, utc } from './format.js';
import { UpstreamHistory } from './upstream_history.js';
import {
  breakerWords,
  credentialWords,
  expiredWords,
  failureCount,
  failuresByReason,
  queueWords,
  rateWords,
  reasonWords,
  share,
  standing,
  tlsWords,
} from './upstreams_model.js';

const LAST_SHOWN = 5;

/* A term and what is said of it: emphasized, then plain, then a setting; show(null) hides both. */
class Fact {
  #strong = el('b');
  #rest = el('span');
  #setting = el('span', { class: 'advice' });
  #said = '';

  constructor(term) {
    this.term = el('dt', {}, term);
    this.value = el('dd', {}, this.#strong, this.#rest, this.#setting);
  }

  show(words) {
    const said = words === null ? null : words.join('\0');

    if (said === this.#said) {
      return;
    }
    this.#said = said;
    this.term.hidden = words === null;
    this.value.hidden = words === null;
    if (words !== null) {
      this.#strong.textContent = words[0];
      this.#rest.textContent = words[1];
      this.#setting.textContent = words[2] ?? '';
      this.#setting.hidden = words.length < 3;
    }
  }
}

export class UpstreamCard {
  #chip = el('span', { class: 'chip' });
  #bar = [el('i', { class: 'pool-active' }), el('i', { class: 'pool-idle' }), el('i')];
  #barBox = el('div', { class: 'pool-bar', role: 'img' }, this.#bar);
  #pool = [el('b'), el('b'), el('b')];
  #limit = el('span', { class: 'muted' });
  #history = new UpstreamHistory();
  #numbers = new Map();
  #facts = {
    breaker: new Fact('Breaker'),
    queue: new Fact('Queue'),
    tls: new Fact('TLS'),
    credential: new Fact('Credential'),
    expired: new Fact('Expired'),
    advice: new Fact('Advice'),
  };
  #failures = el('div', { class: 'failures', hidden: true });
  #failuresSaid = '';

  constructor(item) {
    const title = `upstream-${item.name}`;

    this.name = item.name;
    this.element = el(
      'article',
      { class: 'card', 'aria-labelledby': title },
      el(
        'header',
        { class: 'card-head' },
        el('h3', { id: title }, item.name),
        el('span', { class: 'card-url', title: item.url }, item.url),
        this.#chip,
      ),
      this.#poolPart(),
      this.#history.element,
      el(
        'dl',
        { class: 'numbers' },
        ['reuse', 'opened', 'connects/s', 'retried', 'failures'].map((word) => this.#number(word)),
      ),
      el(
        'dl',
        { class: 'card-facts' },
        Object.values(this.#facts).map(({ term, value }) => [term, value]),
      ),
      this.#failures,
    );
  }

  #poolPart() {
    const legend = ['active', 'idle', 'waiting'].map((word, i) =>
      el('span', {}, el('i', { class: `swatch pool-${word}` }), this.#pool[i], word),
    );

    return el(
      'div',
      { class: 'pool' },
      this.#barBox,
      el('div', { class: 'pool-words' }, legend, this.#limit),
    );
  }

  #number(word) {
    const value = el('dd');

    this.#numbers.set(word, value);
    return el('div', {}, el('dt', {}, word), value);
  }

  /* `now` is the server's time in seconds; `advice` {setting, why}, or null. */
  show(item, { samples, connectRate, now, advice }) {
    const { word, kind } = standing(item);

    this.element.classList.toggle('bad', kind === 'bad');
    this.#chip.className = `chip ${kind}`.trim();
    put(this.#chip, word);
    this.#showPool(item);
    this.#history.show(samples);
    this.#showNumbers(item, connectRate);
    this.#facts.breaker.show(breakerWords(item, now));
    this.#facts.queue.show(queueWords(item));
    this.#facts.tls.show(tlsWords(item));
    this.#facts.credential.show(credentialWords(item, now));
    this.#facts.expired.show(expiredWords(item));
    this.#facts.advice.show(advice && ['', `${capital(advice.why)} `, advice.setting]);
    this.#showFailures(item);
  }

  #showPool(item) {
    const { active, idle, waiting, max_connections: limit } = item;
    const parts = [active, idle, Math.max(0, limit - active - idle)];

    parts.forEach((part, i) => setStyle(this.#bar[i], { flex: `${part} 1 0` }));
    this.#barBox.setAttribute(
      'aria-label',
      `${active} active, ${idle} idle, ${waiting} waiting, of ${limit} connections`,
    );
    [active, idle, waiting].forEach((figure, i) => put(this.#pool[i], count(figure)));
    put(this.#limit, `of ${count(limit)} connections`);
  }

  #showNumbers(item, connectRate) {
    const failed = failureCount(item);

    put(this.#numbers.get('reuse'), share(item.reuse_rate ?? NaN));
    put(this.#numbers.get('opened'), count(item.opened));
    put(this.#numbers.get('connects/s'), rateWords(connectRate));
    put(this.#numbers.get('retried'), count(item.retried));
    put(this.#numbers.get('failures'), count(failed));
    this.#numbers.get('failures').classList.toggle('bad', failed > 0 && standing(item).kind === 'bad');
  }

  #showFailures(item) {
    const said = JSON.stringify([item.failures, item.last_failures]);

    if (said === this.#failuresSaid) {
      return;
    }
    this.#failuresSaid = said;

    const reasons = failuresByReason(item);

    this.#failures.hidden = reasons.length === 0;
    this.#failures.replaceChildren(
      el('h4', {}, 'Failures'),
      el(
        'ul',
        { class: 'reasons' },
        reasons.map(([words, times]) => el('li', {}, el('b', {}, count(times)), ` ${words}`)),
      ),
      item.last_failures.length > 0 &&
        el(
          'table',
          { class: 'last' },
          el('caption', { class: 'off-screen' }, `Last failures of ${item.name}`),
          el(
            'thead',
            { class: 'off-screen' },
            el('tr', {}, el('th', { scope: 'col' }, 'Time'), el('th', { scope: 'col' }, 'Reason')),
          ),
          el(
            'tbody',
            {},
            item.last_failures
              .slice(0, LAST_SHOWN)
              .map(({ ts, reason }) =>
                el(
                  'tr',
                  {},
                  el('td', { title: utc(ts) }, clock(ts, { millis: false })),
                  el('td', {}, reasonWords(reason)),
                ),
              ),
          ),
        ),
    );
  }
}
