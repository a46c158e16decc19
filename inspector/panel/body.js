/*
 * One job: what a captured body is. From a record, where it is decoded and redacted already, it makes
 * the bytes and, where it is text, the text, and says how the body can be shown.
 */

import { pictureType } from './body_views.js';

export function fieldValue(fields, name) {
  const field = (fields ?? []).find((entry) => entry.name.toLowerCase() === name);

  return field ? field.value : '';
}

/* Whether an answer is a stream of events, which stays open by design. */
export function isEventStream(record) {
  return /^text\/event-stream\b/i.test(fieldValue(record.response_headers, 'content-type'));
}

function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

/* The text of bytes in the type's charset; null where they are not text in it. */
function asText(bytes, type) {
  const charset = /;\s*charset="?([\w-]+)/i.exec(type)?.[1] ?? 'utf-8';

  try {
    /* stream: the last sign of a body that was cut may be half there */
    return new TextDecoder(charset, { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return null;
  }
}

function kindOf(text, bytes, type) {
  if (type.startsWith('image/') && pictureType(bytes) !== null) {
    return 'picture';
  }
  if (text === null) {
    return 'binary';
  }
  return /[/+]json\b/i.test(type) || /^\s*[[{]/.test(text) ? 'json' : 'text';
}

/*
 * The body of `side`, 'request' or 'response', or null where nothing of it is shown:
 * {kind: 'json' | 'text' | 'picture' | 'binary', bytes, text, cut, coding}. `coding` is the one that
 * was undone, or ''.
 */
export function readBody(record, side) {
  const shown = record[`${side}_body`];

  if (typeof shown !== 'string' || shown === '') {
    return null;
  }

  const type = fieldValue(record[`${side}_headers`], 'content-type');
  const binary = record[`${side}_body_encoding`] === 'base64';
  const bytes = binary ? fromBase64(shown) : new TextEncoder().encode(shown);
  const text = binary ? asText(bytes, type) : shown;

  return {
    bytes,
    text,
    cut: record[`${side}_body_truncated`] === true,
    coding: record[`${side}_body_decoded`] ?? '',
    kind: kindOf(text, bytes, type),
  };
}
