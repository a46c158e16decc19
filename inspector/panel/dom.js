/*
 * One job: build elements. Text enters as text nodes and styles through the CSSOM, never as markup:
 * so what was captured cannot become part of the page, and the strict Content-Security-Policy holds.
 */

const SVG = 'http://www.w3.org/2000/svg';

/*
 * Properties: `class`, `style` (an object, custom properties too) and `on` (listeners by event) are
 * special, all others are attributes; null, undefined and false leave an attribute out.
 */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);

  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) {
      continue;
    }
    if (name === 'class') {
      node.className = value;
    } else if (name === 'style') {
      setStyle(node, value);
    } else if (name === 'on') {
      for (const [type, listener] of Object.entries(value)) {
        node.addEventListener(type, listener);
      }
    } else {
      node.setAttribute(name, value === true ? '' : value);
    }
  }
  append(node, children);
  return node;
}

/* Children are nodes, text, or lists of them; null, undefined and false are skipped. */
function append(node, children) {
  for (const child of children) {
    if (Array.isArray(child)) {
      append(node, child);
    } else if (child !== null && child !== undefined && child !== false) {
      node.append(child);
    }
  }
}

export function setStyle(node, styles) {
  for (const [property, value] of Object.entries(styles)) {
    node.style.setProperty(property, value);
  }
}

/* A symbol of the sprite in index.html. */
export function icon(name, extra = '') {
  const svg = document.createElementNS(SVG, 'svg');
  const use = document.createElementNS(SVG, 'use');

  svg.setAttribute('class', `icon ${extra}`.trim());
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', `#icon-${name}`);
  svg.append(use);
  return svg;
}

/* An element of a drawing. */
export function drawn(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);

  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, value);
  }
  append(node, children);
  return node;
}

/* Sets the text where it is another one: what is selected or read out stays. */
export function put(node, text) {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

/* A button with a word and, where given, an icon before it and the key that does the same after it. */
export function button(label, run, { kind = '', symbol = null, key = null, ...attributes } = {}) {
  return el(
    'button',
    { type: 'button', class: `button ${kind}`.trim(), on: { click: run }, ...attributes },
    symbol && icon(symbol),
    el('span', { class: 'button-word' }, label),
    key && el('kbd', { 'aria-hidden': 'true' }, key),
  );
}

/* A button that is an icon alone; its label is what a screen reader says. */
export function iconButton(label, symbol, run, { kind = '', ...attributes } = {}) {
  return el(
    'button',
    {
      type: 'button',
      class: `button quiet square ${kind}`.trim(),
      'aria-label': label,
      title: label,
      on: { click: run },
      ...attributes,
    },
    icon(symbol),
  );
}

/* A button that looks like a link. */
export function linkButton(label, run, attributes = {}) {
  return el('button', { type: 'button', class: 'link', on: { click: run }, ...attributes }, label);
}
