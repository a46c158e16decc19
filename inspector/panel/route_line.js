/*
 * One job: one route as a line of the table. Made once and then only filled anew.
 */

import { el, put } from './dom.js';
import { NOTHING, count, duration, percent } from './format.js';
import { Meter, cell } from './page.js';
import { methodMark } from './row.js';
import { Spread } from './spread.js';

export function shareWords(rate) {
  return Number.isFinite(rate) ? `${percent(rate, 1)} %` : NOTHING;
}

export class RouteLine {
  #values = {};
  #spread = new Spread();
  #meter = new Meter('bad');
  #link;

  /* `address` is where the route's traffic is shown. */
  constructor(item, address) {
    this.#link = el('a', { class: 'route-path', href: address, title: item.path }, item.path);
    this.line = el(
      'tr',
      {
        class: 'opens',
        on: {
          click: ({ target }) => {
            if (!target.closest('a') && getSelection().isCollapsed) {
              this.#link.click();
            }
          },
        },
      },
      el('th', { scope: 'row', class: 'whole' }, el('span', { class: 'route' }, methodMark(item.method), this.#link)),
      cell('wide-only', '', el('span', { class: 'chip' }, item.capture)),
      this.#number('count', 'count'),
      this.#number('p50', 'p50'),
      this.#number('p95', 'p95'),
      this.#number('p99', 'p99'),
      cell('wide-only', '', this.#spread.element),
      cell('number', 'errors', this.#meter.element, this.#value('errors', 'percent')),
      this.#number('calls', 'calls/request'),
      this.#number('unchanged', 'unchanged'),
    );
  }

  #value(name, kind = '') {
    this.#values[name] = el('span', { class: kind || null });
    return this.#values[name];
  }

  #number(name, label) {
    return cell('number', label, this.#value(name));
  }

  show(item) {
    const { errors } = this.#values;

    put(this.#values.count, count(item.count));
    put(this.#values.p50, item.streams ? 'open' : duration(item.p50));
    put(this.#values.p95, item.streams ? '' : duration(item.p95));
    put(this.#values.p99, item.streams ? '' : duration(item.p99));
    this.#values.p50.classList.toggle('muted', item.streams);
    this.#spread.show(item);
    this.#meter.show(item.failed > 0 ? item.errorRate : NaN);
    put(errors, `${percent(item.failed, item.count)} %`);
    errors.classList.toggle('muted', item.failed === 0);
    errors.classList.toggle('failing', item.failed > 0);
    put(this.#values.calls, Number.isFinite(item.callsPerRequest) ? item.callsPerRequest.toFixed(2) : NOTHING);
    put(this.#values.unchanged, shareWords(item.unchangedRate));
    this.#values.unchanged.classList.toggle('muted', !Number.isFinite(item.unchangedRate));
  }
}
