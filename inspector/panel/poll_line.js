/*
 * One job: one poll as a line of the table, and what it opens: why, and the settings to copy. Made once
 * and then only filled anew, so that what is open or selected stays.
 */

import { savedWords } from './advice.js';
import { CadenceStrip } from './cadence.js';
import { el, icon, put } from './dom.js';
import { NOTHING, count, duration, percent, size } from './format.js';
import { Meter, cell, codeBlock, routeLabel } from './page.js';

const CHIPS = 2;
let lines = 0;

export function everyWords(seconds) {
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : duration(seconds * 1000);
}

function rateWords(rate) {
  return Number.isFinite(rate) ? `${percent(rate, 1).replace(/\.0$/, '')} %` : NOTHING;
}

export class PollLine {
  #copy;
  #strip = new CadenceStrip();
  #meter = new Meter();
  #cells = {};
  #help;
  #why = el('div', { class: 'explained-grid' });
  #opener;
  #said = '';

  /* `copy(text, what)` puts it on the clipboard. */
  constructor({ method, path }, copy) {
    lines += 1;
    this.#copy = copy;

    const id = `poll-more-${lines}`;

    this.#opener = el(
      'button',
      {
        type: 'button',
        class: 'opener',
        'aria-expanded': 'false',
        'aria-controls': id,
        'aria-label': `Why, and the settings: ${method} ${path}`,
        on: { click: () => this.open(this.more.hidden) },
      },
      icon('chevron'),
    );
    this.#help = cell('whole help', '');
    this.line = el(
      'tr',
      {},
      el('th', { scope: 'row', class: 'whole' }, el('span', { class: 'route' }, this.#opener, routeLabel(method, path))),
      cell('wide-only', '', this.#strip.element),
      this.#figure('every', 'every'),
      this.#figure('overlap', 'overlap'),
      this.#figure('calls', 'calls'),
      this.#unchangedCell(),
      this.#figure('bytes', 'bytes'),
      this.#figure('upstream', 'upstream'),
      this.#help,
    );
    this.more = el('tr', { class: 'explained', id, hidden: true }, el('td', { colspan: '9' }, this.#why));
  }

  open(on) {
    this.more.hidden = !on;
    this.#opener.setAttribute('aria-expanded', on);
  }

  #figure(name, label) {
    this.#cells[name] = el('span');
    return cell('number', label, this.#cells[name]);
  }

  #unchangedCell() {
    this.#cells.unchanged = el('span', { class: 'percent' });
    return cell('number', 'unchanged', this.#meter.element, this.#cells.unchanged);
  }

  show({ poll, advice }) {
    const overlap = poll.overlapping / poll.calls.length;

    put(this.#cells.every, everyWords(poll.every));
    put(this.#cells.overlap, poll.overlapping > 0 ? rateWords(overlap) : NOTHING);
    this.#cells.overlap.classList.toggle('muted', poll.overlapping === 0);
    put(this.#cells.calls, count(poll.calls.length));
    put(this.#cells.unchanged, rateWords(poll.unchangedRate));
    this.#cells.unchanged.title = Number.isFinite(poll.unchangedRate)
      ? `${count(poll.unchanged)} of ${count(poll.compared)} answers that could be compared`
      : 'Nothing tells yet whether its answers change';
    this.#meter.show(poll.unchangedRate);
    put(this.#cells.bytes, size(poll.bytes));
    put(this.#cells.upstream, duration(poll.upstreamMs));
    this.#strip.show(
      poll.ticks,
      `${count(poll.ticks.length)} calls in 100 s, one every ${everyWords(poll.every)}` +
        `${poll.together > 1 ? ` for each of ${poll.together} callers` : ''}`,
    );
    this.#showAdvice(advice);
  }

  #showAdvice(advice) {
    const said = JSON.stringify(advice);

    if (said === this.#said) {
      return;
    }
    this.#said = said;
    this.#opener.classList.toggle('empty-handed', advice.length === 0);
    this.#help.replaceChildren(...helpWords(advice));
    this.#why.replaceChildren(
      ...(advice.length === 0
        ? [el('p', {}, 'Nothing that is set here, or that its API could send, would make it cheaper.')]
        : advice.flatMap(({ why, code, form }) => [
            el('p', {}, why),
            codeBlock(code, (text) =>
              this.#copy(text, form === 'yaml' ? 'the settings' : 'the field'),
            ),
          ])),
    );
  }
}

function helpWords(advice) {
  if (advice.length === 0) {
    return [el('span', { class: 'muted' }, 'nothing to save')];
  }

  const saved = savedWords(advice[0]);

  return [
    ...advice.slice(0, CHIPS).flatMap(({ setting }) => [el('span', { class: 'advice' }, setting), ' ']),
    el('span', { class: saved.calls ? 'saved' : 'muted' }, saved.words),
  ];
}
