/*
 * One job: build and fill elements. Text enters as text, styles through the CSSOM: what the API
 * answers cannot become markup, and the Content-Security-Policy holds.
 */

export const byId = (id) => document.getElementById(id);

/* `properties` are attributes; `on` holds listeners by event. Children are nodes or text. */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);

  for (const [name, value] of Object.entries(properties)) {
    if (name === 'on') {
      Object.entries(value).forEach(([type, listener]) => node.addEventListener(type, listener));
    } else if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(name, value === true ? '' : value);
    }
  }
  node.append(...children);
  return node;
}

/* Changes the text only where it is another one, so that a selection in it survives. */
export function setText(node, text) {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

/* A bar that is `percent` full; setBar() moves it. */
export function bar(percent, label) {
  const node = el('div', { class: 'bar', role: 'img' }, el('span', { class: 'fill' }));

  setBar(node, percent, label);
  return node;
}

export function setBar(node, percent, label) {
  node.setAttribute('aria-label', `${label} ${percent} %`);
  node.firstChild.style.setProperty('width', `${percent}%`);
  node.classList.toggle('high', percent >= 80);
}

/* Puts a line at the top of a list, which keeps the newest `most`. */
export function prepend(list, line, most) {
  list.prepend(line);
  while (list.children.length > most) {
    list.lastChild.remove();
  }
}

/* For those who hear the page instead of seeing it. */
export function announce(text) {
  byId('announcement').textContent = text;
}
