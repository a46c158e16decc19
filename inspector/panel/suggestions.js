/*
 * One job: the list under the filter's box: the keys while it is empty, a key's values once it is
 * typed. Arrows move in it, Enter and Tab take what is marked, a click does too.
 */

import { el } from './dom.js';
import { KEYS } from './filter.js';

export class Suggestions {
  #input;
  #take;
  #items = [];
  #marked = -1;

  /* `take(text)` puts the text into the box. */
  constructor(input, take) {
    this.#input = input;
    this.#take = take;
    this.element = el('ul', {
      class: 'suggestions',
      id: 'suggestions',
      role: 'listbox',
      'aria-label': 'Filters',
      hidden: true,
    });
    input.addEventListener('focus', () => this.#update());
    input.addEventListener('input', () => this.#update());
    input.addEventListener('blur', () => this.close());
  }

  close() {
    this.#show([]);
  }

  /* Whether the key was one of the list's own. */
  pressed(event) {
    if (this.#items.length === 0) {
      return false;
    }
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const step = event.key === 'ArrowDown' ? 1 : -1;
      const last = this.#items.length - 1;

      event.preventDefault();
      this.#mark(Math.max(-1, Math.min(last, this.#marked + step)));
      return true;
    }
    if ((event.key === 'Enter' || event.key === 'Tab') && this.#marked >= 0) {
      event.preventDefault();
      this.#choose(this.#marked);
      return true;
    }
    if (event.key === 'Escape' && this.#marked >= 0) {
      this.close();
      return true;
    }
    return false;
  }

  #update() {
    const word = this.#input.value.split(' ').pop();
    const at = word.indexOf(':');

    if (at > 0) {
      const key = word.slice(0, at);
      const typed = word.slice(at + 1);
      const values = Object.hasOwn(KEYS, key) ? KEYS[key].values : [];

      this.#show(
        values
          .filter((value) => value.startsWith(typed) && value !== typed)
          .map((value) => [`${key}:${value}`, '', `${key}:${value} `]),
      );
      return;
    }

    const keys = Object.entries(KEYS)
      .filter(([key]) => key.startsWith(word))
      .map(([key, { takes }]) => [`${key}:`, takes, `${key}:`]);

    this.#show(word === '' ? [...keys, ['text', 'in path, headers, bodies', '']] : keys);
  }

  /* An item is [what it shows, what it takes, what it puts into the box]. */
  #show(items) {
    this.#items = items;
    this.#marked = -1;
    this.element.hidden = items.length === 0;
    this.#input.setAttribute('aria-expanded', items.length > 0);
    this.#input.removeAttribute('aria-activedescendant');
    this.element.replaceChildren(
      ...items.map(([word, takes], i) =>
        el(
          'li',
          {
            id: `suggestion-${i}`,
            role: 'option',
            'aria-selected': 'false',
            on: {
              /* before the box loses its focus */
              pointerdown: (event) => {
                event.preventDefault();
                this.#choose(i);
              },
            },
          },
          el('code', {}, word),
          el('span', {}, takes),
        ),
      ),
    );
  }

  #mark(index) {
    this.#marked = index;
    [...this.element.children].forEach((item, i) => {
      item.setAttribute('aria-selected', i === index);
    });
    if (index >= 0) {
      this.#input.setAttribute('aria-activedescendant', `suggestion-${index}`);
    } else {
      this.#input.removeAttribute('aria-activedescendant');
    }
  }

  #choose(index) {
    const before = this.#input.value.split(' ').slice(0, -1);

    this.#take([...before, this.#items[index][2]].join(' '));
    this.#update();
  }
}
