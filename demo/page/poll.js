/*
 * One job: ask for the same thing again and again, as dashboards do, also in a hidden tab: the
 * inspector in the next one is to see it.
 */
import { call } from './api.js';
import { setText } from './dom.js';

/* `show` gets each answer that differs from the one before; `note` says how many did not. */
export function poll(path, seconds, note, show) {
  let answers = 0;
  let unchanged = 0;
  let before = null;
  let trouble = '';
  let soon = 0;

  async function ask() {
    try {
      const text = await call('GET', path, { poll: true, read: (response) => response.text() });

      answers += 1;
      unchanged += text === before ? 1 : 0;
      trouble = '';
      if (text !== before) {
        before = text;
        show(JSON.parse(text));
      }
    } catch (error) {
      trouble = ` · ${error.message}`;
    }
    setText(note, `every ${seconds} s · ${answers} ${answers === 1 ? 'answer' : 'answers'}, ${unchanged} unchanged${trouble}`);
    note.classList.toggle('trouble', trouble !== '');
    clearTimeout(soon);
    soon = setTimeout(ask, seconds * 1000);
  }

  ask();
  return {
    /* Asks at once, where something was done that changes the answer. */
    now() {
      clearTimeout(soon);
      ask();
    },
  };
}
