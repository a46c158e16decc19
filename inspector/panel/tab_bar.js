/*
 * One job: the detail's tabs. Both is there in the wide layout only; who had chosen it sees the
 * response elsewhere, and Both again where there is room.
 */

import { el } from './dom.js';
import { layout } from './layout.js';

const TABS = [
  ['both', 'Both'],
  ['request', 'Request'],
  ['response', 'Response'],
  ['timing', 'Timing'],
];

export class TabBar {
  #chosen = 'both';
  #panel;
  #onChange;
  #actions = el('div', { class: 'tab-actions' });
  #list = el('div', { class: 'tab-list', role: 'tablist', 'aria-label': 'Parts of the exchange' });

  constructor({ panel, onChange }) {
    this.#panel = panel;
    this.#onChange = onChange;
    this.element = el('div', { class: 'tabs' }, this.#list, this.#actions);
    this.#list.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];

      if (step) {
        event.preventDefault();
        this.move(step);
        this.#list.querySelector('[aria-selected="true"]').focus();
      }
    });
    this.relayout();
  }

  get current() {
    return this.#chosen === 'both' && !layout.wide ? 'response' : this.#chosen;
  }

  /* What stands at the right of the tabs: a node, or null. */
  setActions(node) {
    this.#actions.replaceChildren(...(node === null ? [] : [node]));
  }

  /* Chooses without telling; an unknown name is Both. */
  set(name) {
    this.#chosen = TABS.some(([known]) => known === name) ? name : 'both';
    this.#mark();
  }

  move(step) {
    const names = this.#names();
    const at = names.indexOf(this.current) + step;

    if (at >= 0 && at < names.length) {
      this.#choose(names[at]);
    }
  }

  relayout() {
    this.#list.replaceChildren(
      ...TABS.filter(([name]) => this.#names().includes(name)).map(([name, word]) =>
        el(
          'button',
          {
            type: 'button',
            role: 'tab',
            id: `tab-${name}`,
            'aria-controls': 'detail-panel',
            on: { click: () => this.#choose(name) },
          },
          word,
        ),
      ),
    );
    this.#mark();
  }

  #names() {
    return TABS.map(([name]) => name).filter((name) => layout.wide || name !== 'both');
  }

  #choose(name) {
    this.#chosen = name;
    this.#mark();
    this.#onChange(name);
  }

  #mark() {
    const current = this.current;

    for (const tab of this.#list.children) {
      const chosen = tab.id === `tab-${current}`;

      tab.setAttribute('aria-selected', chosen);
      tab.setAttribute('tabindex', chosen ? '0' : '-1');
    }
    this.#panel.setAttribute('aria-labelledby', `tab-${current}`);
  }
}
