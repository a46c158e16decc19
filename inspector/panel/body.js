/*
 * One job: what a captured body is. From a record it makes the bytes and, where it is text, the text,
 * undoes a content coding as far as this browser can, and says how the body can be shown.
 */

import { pictureType } from './body_views.js';

const DECODED_LIMIT = 4 * 1024 * 1024; /* a small body may decode to a huge one */
const CODINGS = { 'x-gzip': 'gzip', br: 'brotli' };

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

/* {bytes, whole}: what could be decoded before the end, an error or the limit; null of nothing. */
async function decode(bytes, coding) {
  let stream;
  const parts = [];
  let length = 0;
  let whole = true;

  try {
    stream = new DecompressionStream(CODINGS[coding] ?? coding);
  } catch {
    return null;
  }

  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();

  try {
    for (;;) {
      const { done, value } = await reader.read();

      if (done) {
        break;
      }
      parts.push(value);
      length += value.length;
      if (length >= DECODED_LIMIT) {
        whole = false;
        reader.cancel().catch(() => {});
        break;
      }
    }
  } catch {
    whole = false; /* the body was cut, or is not what its coding says */
  }
  return length > 0 ? { bytes: await joined(parts), whole } : null;
}

async function joined(parts) {
  return new Uint8Array(await new Blob(parts).arrayBuffer());
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
 * The body of `side`, 'request' or 'response', or null where nothing of it is kept:
 * {kind: 'json' | 'text' | 'picture' | 'binary', bytes, text, kept, cut, coding, decoded}.
 * `kept` counts the bytes as captured; `decoded` is false where a coding is still on the bytes.
 */
export async function readBody(record, side) {
  const captured = record[`${side}_body`];

  if (typeof captured !== 'string' || captured === '') {
    return null;
  }

  const fields = record[`${side}_headers`];
  const type = fieldValue(fields, 'content-type');
  const coding = fieldValue(fields, 'content-encoding').trim().toLowerCase();
  const binary = record[`${side}_body_encoding`] === 'base64';
  const raw = binary ? fromBase64(captured) : new TextEncoder().encode(captured);
  const body = {
    bytes: raw,
    text: binary ? null : captured,
    kept: raw.length,
    cut: record[`${side}_body_truncated`] === true,
    coding: '',
    decoded: true,
  };

  if (binary && coding !== '' && coding !== 'identity') {
    const result = await decode(raw, coding);

    body.coding = coding;
    body.decoded = result !== null;
    if (result !== null) {
      body.bytes = result.bytes;
      body.cut ||= !result.whole;
    }
  }
  if (binary && body.decoded) {
    body.text = asText(body.bytes, type);
  }
  return { ...body, kind: kindOf(body.text, body.bytes, type) };
}
