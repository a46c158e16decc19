/*
 * One job: what an exchange is to the panel. Turns the API's summaries, poll rows and records into rows
 * that hold only what the table, the picture and the filter need, and judges them: live, failed, cut.
 */

import { serverNow } from './server_clock.js';

export const PHASES = ['queue', 'connect', 'tls', 'send', 'wait', 'receive'];
export const PHASE_NAMES = {
  queue: 'Queue',
  connect: 'Connect',
  tls: 'TLS',
  send: 'Send',
  wait: 'Wait',
  receive: 'Receive',
};
export const STATES = [
  'active',
  'complete',
  'client_aborted',
  'upstream_failed',
  'timed_out',
  'tunnel',
];

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
const IDEMPOTENT = new Set([...SAFE, 'PUT', 'DELETE']);

const text = (value) => (typeof value === 'string' ? value : '');
const number = (value) => (Number.isFinite(value) ? value : 0);

/* The proxy's sentence for what went wrong; '' where nothing did. */
export function errorText(error) {
  if (typeof error === 'object' && error !== null) {
    return text(error.detail) || text(error.message) || text(error.code);
  }
  return text(error);
}

/* Whether it still goes on: a tunnel keeps its state when it ends, and has its last phase only then. */
export function isRunning(item) {
  return (
    item.state === 'active' ||
    (item.state === 'tunnel' && !Number.isFinite(item.timing?.receive_ms))
  );
}

/* A row of a summary, a poll row or a whole record. `now` is when it was read, of performance.now(). */
export function toRow(item, now = performance.now()) {
  const timing = item.timing ?? {};
  const query = text(item.query);
  const ts = Number.isFinite(item.ts) ? item.ts : Date.parse(item.time) / 1000;
  const live = isRunning(item);
  const uncounted = live && !(item.duration_ms > 0);

  return {
    seq: item.seq,
    requestId: text(item.request_id),
    ts,
    poll: item.poll === true,
    state: text(item.state) || 'complete',
    live,
    method: text(item.method),
    path: text(item.path),
    query: query === '' || query.startsWith('?') ? query : `?${query}`,
    status: number(item.status),
    duration: uncounted ? Math.max(0, (serverNow() - ts) * 1000) : number(item.duration_ms),
    caller: text(item.caller) || text(item.client_ip),
    route: text(item.route),
    upstream: text(item.upstream),
    error: errorText(item.error),
    attempts: number(item.attempts),
    reused: item.reused === true,
    requestSize: number(item.request_size_bytes),
    responseSize: number(item.response_size_bytes),
    hash: text(item.response_hash),
    unchanged: typeof item.unchanged === 'boolean' ? item.unchanged : null,
    replayOf: item.replay_of ?? null,
    stream: item.stream === true || /^text\/event-stream\b/i.test(text(item.response_content_type)),
    requestCut: item.request_body_truncated === true,
    responseCut: item.response_body_truncated === true,
    phases: PHASES.map((phase) => number(timing[`${phase}_ms`])),
    readAt: now,
    revision: 0,
  };
}

/* Whether the newer reading of the same exchange shows anything else. */
export function differs(older, newer) {
  return (
    older.state !== newer.state ||
    older.live !== newer.live ||
    older.status !== newer.status ||
    older.duration !== newer.duration ||
    older.requestSize !== newer.requestSize ||
    older.responseSize !== newer.responseSize ||
    older.error !== newer.error ||
    older.hash !== newer.hash ||
    older.requestCut !== newer.requestCut ||
    older.responseCut !== newer.responseCut
  );
}

export function isLive(row) {
  return row.live;
}

export function isTunnel(row) {
  return row.status === 101 || row.state === 'tunnel';
}

/* The duration now: of a live exchange it counts on from when it was read. */
export function durationOf(row, now = performance.now()) {
  return isLive(row) ? row.duration + (now - row.readAt) : row.duration;
}

/* Failed loudly: 5xx, no answer, or an answer that broke off. */
export function isHard(row) {
  return (
    row.status >= 500 ||
    row.state === 'upstream_failed' ||
    row.state === 'timed_out' ||
    (row.status === 0 && !isLive(row) && row.state !== 'client_aborted')
  );
}

export function isFailed(row) {
  return row.status >= 400 || row.state === 'client_aborted' || isHard(row);
}

export function isCut(row) {
  return row.requestCut || row.responseCut;
}

/* May change something at the upstream. */
export function isMutation(method) {
  return !SAFE.has(method);
}

export function isIdempotent(method) {
  return IDEMPOTENT.has(method);
}

/* Bytes that the row's size column shows. */
export function sizeOf(row) {
  return isTunnel(row) ? row.requestSize + row.responseSize : row.responseSize;
}

/* The form and the words of a status: what it says never depends on colour alone. */
export function statusOf(row) {
  if (isLive(row) && row.status === 0) {
    return { form: 'running', word: '···', title: 'In flight' };
  }
  if (row.state === 'client_aborted') {
    return {
      form: 'refused',
      word: 'left',
      title:
        row.status === 0
          ? 'The client left before an answer'
          : `The client left after status ${row.status}`,
    };
  }
  if (row.status === 0) {
    return { form: 'failed', word: 'none', title: 'No answer' };
  }
  if (isHard(row)) {
    return {
      form: 'failed',
      word: String(row.status),
      title: row.status < 500 ? 'The answer broke off' : '',
    };
  }
  if (row.status === 101) {
    return { form: 'tunnel', word: '101', title: 'Tunnel' };
  }
  if (row.status >= 400) {
    return { form: 'refused', word: String(row.status), title: '' };
  }
  return {
    form: row.status >= 300 ? 'faint' : 'plain',
    word: String(row.status),
    title: '',
  };
}

/* At most two chips, the ones that matter most first. */
export function chipsOf(row) {
  const chips = [];

  if (isTunnel(row)) {
    chips.push({ word: 'WS', kind: 'tunnel', title: 'WebSocket tunnel' });
  }
  if (isCut(row)) {
    chips.push({ word: 'cut', kind: 'warn', title: 'Its body is kept in part' });
  }
  if (row.stream) {
    chips.push({ word: 'SSE', kind: '', title: 'Server-Sent Events' });
  }
  if (row.replayOf !== null) {
    chips.push({ word: 'replay', kind: '', title: 'Sent again from this panel' });
  }
  if (row.attempts > 1) {
    chips.push({
      word: 'retried',
      kind: '',
      title: `Sent ${row.attempts} times: a pooled connection had died`,
    });
  }
  if (row.poll) {
    chips.push({ word: 'poll', kind: '', title: 'Kept as a row: its route is not captured' });
  }
  return chips.slice(0, 2);
}
