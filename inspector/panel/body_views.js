/*
 * One job: a body as text, as bytes, as a picture. Long ones come in parts. A picture is shown from a
 * blob whose type follows from its first bytes, never from what its sender called it; SVG, which can
 * hold scripts, stays text.
 */

import { el, linkButton } from './dom.js';
import { roundSize } from './format.js';
import { withLocks } from './redaction.js';

const TEXT_PART = 64 * 1024; /* characters */
const HEX_PART = 16 * 1024; /* bytes */
const HEX_LINE = 16;

/* Blocks made by `part(from)`, which returns [text, where the next one begins]; more on request. */
function inParts(kind, length, part, from = 0) {
  const [text, next] = part(from);
  const nodes = [el('pre', { class: kind }, kind === 'text' ? withLocks(text) : text)];

  if (next < length) {
    const more = linkButton(`Show more: ${roundSize(length - next)} left`, () => {
      more.parentNode.replaceWith(...inParts(kind, length, part, next));
    });

    nodes.push(el('div', { class: 'more' }, more));
  }
  return nodes;
}

export function textView(text) {
  return inParts('text', text.length, (from) => {
    let to = Math.min(text.length, from + TEXT_PART);

    /* Prefer to part at a line's end, where one is near. */
    if (to < text.length) {
      const line = text.lastIndexOf('\n', to);

      to = line > from + TEXT_PART / 2 ? line + 1 : to;
    }
    return [text.slice(from, to), to];
  });
}

function hexLine(bytes, at) {
  const line = bytes.subarray(at, at + HEX_LINE);
  const hex = Array.from(line, (byte) => byte.toString(16).padStart(2, '0'));
  const signs = Array.from(line, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
  );
  const left = hex.slice(0, 8).join(' ');
  const right = hex.slice(8).join(' ');

  return `${at.toString(16).padStart(8, '0')}  ${left.padEnd(23)}  ${right.padEnd(23)}  ${signs.join('')}`;
}

export function hexView(bytes) {
  return inParts('hex', bytes.length, (from) => {
    const to = Math.min(bytes.length, from + HEX_PART);
    const lines = [];

    for (let at = from; at < to; at += HEX_LINE) {
      lines.push(hexLine(bytes.subarray(0, to), at));
    }
    return [lines.join('\n'), to];
  });
}

const PICTURES = [
  ['image/png', 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['image/jpeg', 0, [0xff, 0xd8, 0xff]],
  ['image/gif', 0, [0x47, 0x49, 0x46, 0x38]],
  ['image/webp', 8, [0x57, 0x45, 0x42, 0x50]],
  ['image/avif', 4, [0x66, 0x74, 0x79, 0x70, 0x61, 0x76, 0x69, 0x66]],
  ['image/x-icon', 0, [0x00, 0x00, 0x01, 0x00]],
];

/* The type of a picture by its first bytes; null where it is none that is shown. */
export function pictureType(bytes) {
  const found = PICTURES.find(([, at, magic]) =>
    magic.every((byte, i) => bytes[at + i] === byte),
  );

  return found ? found[0] : null;
}

export function pictureView(bytes, type) {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  const done = () => URL.revokeObjectURL(url);
  const words = el('span', { class: 'muted' });
  const image = el('img', {
    alt: `The body as a picture, ${type}`,
    on: {
      load: () => {
        words.textContent = `${type}, ${image.naturalWidth} × ${image.naturalHeight}`;
        done();
      },
      error: () => {
        words.textContent = `${type}, but it cannot be drawn`;
        done();
      },
    },
  });

  image.src = url;
  return [el('figure', { class: 'picture-body' }, image, el('figcaption', {}, words))];
}
