/*
 * One job: the keyboard. A binding is {keys, label, run, where}: `keys` as KeyboardEvent.key names
 * them; `where` 'list' acts only where the focus is not in something that needs the key itself. None
 * acts in a field or with a modifier; where single keys are off, they act with Alt.
 */

import { button, el } from './dom.js';
import { recall, remember } from './settings.js';

const SHOWN = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
  PageUp: 'PgUp',
  PageDown: 'PgDn',
};
const FIELDS = 'input, textarea, select, dialog';
const OWN_KEYS = 'button, a, summary, [role="tab"], [role="separator"], .detail';

export class Keys {
  #bindings = [];
  #dialog = document.getElementById('keys');
  #single = recall('single-keys') !== 'off';

  constructor() {
    addEventListener('keydown', (event) => this.#pressed(event));
  }

  /* The bindings that act from now on. */
  set(bindings) {
    this.#bindings = bindings;
  }

  /* `about` is a line on which version this is. */
  showList(about) {
    const single = el('input', {
      type: 'checkbox',
      checked: this.#single,
      on: {
        change: () => {
          this.#single = single.checked;
          remember('single-keys', this.#single ? null : 'off');
        },
      },
    });

    this.#dialog.replaceChildren(
      el('h2', { id: 'keys-title' }, 'Keys'),
      el(
        'div',
        { class: 'key-list' },
        this.#bindings
          .filter(({ label }) => label)
          .map(({ keys, shown, label }) =>
            el('div', {}, el('span', {}, label), el('span', {}, kbds(shown ?? keys))),
          ),
      ),
      el('p', { class: 'key-option' }, el('label', {}, single, ' Single keys act (off: with Alt)')),
      el(
        'div',
        { class: 'dialog-end' },
        el('span', { class: 'muted' }, about),
        button('Close', () => this.#dialog.close()),
      ),
    );
    this.#dialog.showModal();
  }

  #pressed(event) {
    const target = event.target instanceof Element ? event.target : document.body;
    const typed = event.getModifierState('AltGraph'); /* how some keyboards write [ and ] */
    const single = event.key.length === 1;
    const alt = event.altKey && !typed;

    if (
      target.closest(FIELDS) ||
      ((event.ctrlKey || event.metaKey) && !typed) ||
      alt !== (single && !this.#single)
    ) {
      return;
    }
    for (const { keys, run, where } of this.#bindings) {
      if (keys.includes(event.key) && !(where === 'list' && target.closest(OWN_KEYS))) {
        event.preventDefault();
        run();
        return;
      }
    }
  }
}

function kbds(keys) {
  return keys.map((key) => [el('kbd', {}, SHOWN[key] ?? key), ' ']);
}
