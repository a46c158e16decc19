/*
 * One job: what the panel says in passing: a toast that can be undone, a live region for screen
 * readers, the clipboard.
 */

import { linkButton } from './dom.js';

const TOAST_MS = 4000;
const QUIET_MS = 2000; /* at least between two counts that are read out */

export class Notices {
  #toast = document.getElementById('toast');
  #region = document.getElementById('announcements');
  #urgent = document.getElementById('alerts');
  #timer = 0;
  #waiting = null;
  #quietUntil = 0;

  /* Shows `text`, and a button where `action` {label, run} is given. Returns a way to end it. */
  say(text, { action = null, ms = TOAST_MS } = {}) {
    clearTimeout(this.#timer);
    this.#toast.replaceChildren(text);
    if (action) {
      this.#toast.append(linkButton(action.label, action.run));
    }
    this.#toast.hidden = false;

    const timer = setTimeout(() => this.#hide(timer), ms);

    this.#timer = timer;
    return () => this.#hide(timer);
  }

  /* Read out at the next pause; the newest takes the place of one that still waits. */
  announce(text) {
    const wait = this.#quietUntil - Date.now();

    if (this.#waiting !== null || wait > 0) {
      if (this.#waiting === null) {
        setTimeout(() => this.#speak(this.#waiting), wait);
      }
      this.#waiting = text;
    } else {
      this.#speak(text);
    }
  }

  /* Read out at once. */
  alert(text) {
    this.#urgent.textContent = text;
  }

  async copy(text, what) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      if (!copyBySelection(text)) {
        this.say('This browser did not let the page copy');
        return;
      }
    }
    this.say(`Copied ${what}`);
  }

  #speak(text) {
    this.#waiting = null;
    this.#quietUntil = Date.now() + QUIET_MS;
    this.#region.textContent = text;
  }

  #hide(timer) {
    if (timer === this.#timer) {
      clearTimeout(timer);
      this.#toast.hidden = true;
    }
  }
}

/* The clipboard's interface exists in secure contexts only; plain HTTP from another host is none. */
function copyBySelection(text) {
  const field = document.createElement('textarea');
  const focused = document.activeElement;

  field.value = text;
  field.className = 'off-screen';
  document.body.append(field);
  field.select();

  const done = document.execCommand('copy');

  field.remove();
  focused?.focus();
  return done;
}
