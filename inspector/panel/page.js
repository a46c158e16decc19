/*
 * One job: what the pages beside the traffic have alike: the heading, what is said in a table's place,
 * code to copy, cells, meters.
 */

import { el, iconButton } from './dom.js';
import { methodMark } from './row.js';

export function pageHead(id, title, words, ...actions) {
  return el(
    'div',
    { class: 'page-head' },
    el('div', { class: 'page-title' }, el('h2', { id }, title), el('p', {}, words)),
    actions,
  );
}

export function page(titleId, ...content) {
  return el(
    'section',
    { class: 'view page', 'aria-labelledby': titleId, tabindex: '-1' },
    el('div', { class: 'page-content' }, content),
  );
}

/* What stands where there is nothing to show: a title and a paragraph or more. */
export function emptyPage(title, ...words) {
  return el('div', { class: 'empty' }, el('b', {}, title), words.map((each) => el('p', {}, each)));
}

/* Grey bars of the rows' size, seen only after a moment. */
export function skeletonRows(lines = 6) {
  return el(
    'div',
    { class: 'skeleton-page', 'aria-hidden': 'true' },
    Array.from({ length: lines }, (_, i) => {
      const bar = el('i', { class: 'skeleton' });

      bar.style.width = `${[46, 58, 38, 52, 62, 41][i % 6]}%`;
      return bar;
    }),
  );
}

/* A block of code with a button that copies it. */
export function codeBlock(text, copy) {
  return el(
    'div',
    { class: 'code-block' },
    el('pre', {}, el('code', {}, text)),
    iconButton('Copy', 'copy', () => copy(text)),
  );
}

/* A method and a path, as the first cell of a table has them. */
export function routeLabel(method, path) {
  return [methodMark(method), el('span', { class: 'route-path', title: path }, path)];
}

/* A cell; `label` stands before the value where the table becomes blocks. */
export function cell(kind, label, ...children) {
  return el('td', { class: kind || null, 'data-label': label || null }, children);
}

export function headCell(word, kind = '', attributes = {}) {
  return el('th', { scope: 'col', class: kind || null, ...attributes }, word);
}

/* A short bar of a share from 0 to 1. */
export class Meter {
  #bar = el('i');

  constructor(kind = '') {
    this.element = el('span', { class: `meter ${kind}`.trim(), 'aria-hidden': 'true' }, this.#bar);
  }

  show(share) {
    this.element.hidden = !Number.isFinite(share);
    this.#bar.style.width = `${Math.round(Math.min(1, share || 0) * 100)}%`;
  }
}
