/*
 * One job: what a filter means. Tokens are the API's parameters: each knows how it is checked, how it
 * is sent, and how a row that the page holds is tested by it. No DOM, no requests.
 *
 * A filter is {tokens: Map(key -> value), text, errors, polls}. `text` is the API's q, which only the
 * server can answer in full: it looks into headers and bodies, which the page does not hold.
 */

import { STATES, durationOf, isFailed } from './model.js';

const UNITS = { '': 1, ms: 1, s: 1000, m: 60000 };

function parseDuration(value) {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(value);

  return match ? Number(match[1]) * UNITS[match[2] ?? ''] : NaN;
}

function durationWord(ms) {
  return ms >= 1000 && ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/* Linear in path and pattern: the first piece stands at the start, the last at the end. */
export function globMatches(pattern, path) {
  const pieces = pattern.split('*');
  const first = pieces[0];
  const last = pieces[pieces.length - 1];
  let at = first.length;

  if (
    path.length < first.length + last.length ||
    !path.startsWith(first) ||
    !path.endsWith(last)
  ) {
    return false;
  }
  for (const piece of pieces.slice(1, -1)) {
    at = path.indexOf(piece, at);
    if (at < 0) {
      return false;
    }
    at += piece.length;
  }
  return at <= path.length - last.length;
}

function statusMatches(wanted, status) {
  const compare = /^([<>]=?)(\d+)$/.exec(wanted);

  if (compare) {
    const limit = Number(compare[2]);

    switch (compare[1]) {
    case '>=':
      return status >= limit;
    case '>':
      return status > limit;
    case '<=':
      return status > 0 && status <= limit;
    default:
      return status > 0 && status < limit;
    }
  }
  if (wanted.endsWith('xx')) {
    return Math.floor(status / 100) === Number(wanted[0]);
  }
  return status === Number(wanted);
}

/* In the order in which the list of keys shows them. */
export const KEYS = {
  status: {
    parameter: 'status',
    takes: '404, 5xx, >=400',
    values: ['5xx', '4xx', '>=400', '2xx'],
    valid: (value) => /^(\d{3}|[1-5]xx|[<>]=?\d{1,3})$/.test(value),
    test: (row, value) => statusMatches(value, row.status),
  },
  method: {
    parameter: 'method',
    takes: 'POST',
    values: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    valid: (value) => /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(value),
    clean: (value) => value.toUpperCase(),
    test: (row, value) => row.method === value,
  },
  path: {
    parameter: 'path',
    takes: '/api/* or part of it',
    values: [],
    valid: (value) => value !== '',
    test: (row, value) =>
      value.includes('*') ? globMatches(value, row.path) : row.path.includes(value),
  },
  route: {
    parameter: 'route',
    takes: '/api/jobs, as the settings have it',
    values: [],
    valid: (value) => value !== '',
    test: (row, value) => row.route === value,
  },
  state: {
    parameter: 'state',
    takes: STATES.join(', '),
    values: STATES,
    valid: (value) => STATES.includes(value),
    test: (row, value) => row.state === value,
  },
  slower: {
    parameter: 'min_duration_ms',
    takes: '250ms, 2s',
    values: ['250ms', '1s', '10s'],
    valid: (value) => Number.isFinite(parseDuration(value)),
    send: (value) => String(Math.round(parseDuration(value))),
    read: (sent) => (/^\d+$/.test(sent) ? durationWord(Number(sent)) : sent),
    test: (row, value) => durationOf(row) >= parseDuration(value),
  },
};

export function emptyFilter() {
  return { tokens: new Map(), text: '', errors: false, polls: false };
}

export function copyFilter(filter) {
  return { ...filter, tokens: new Map(filter.tokens) };
}

/* {key, value} of `key:value` with a known key; null of anything else, which is text to look for. */
export function splitToken(word) {
  const at = word.indexOf(':');
  const key = word.slice(0, at);

  return at > 0 && Object.hasOwn(KEYS, key) ? { key, value: word.slice(at + 1) } : null;
}

/* What is wrong with a value, in words; null where it can be used. */
export function tokenProblem(key, value) {
  return KEYS[key].valid(value) ? null : `${key} takes ${KEYS[key].takes}`;
}

/* A key holds one value, as in the API: the newer replaces the older. */
export function addToken(filter, key, value) {
  filter.tokens.set(key, KEYS[key].clean ? KEYS[key].clean(value) : value);
}

/* The API's parameters for the tokens and the text. */
export function toQuery(filter) {
  const query = {};

  for (const [key, value] of filter.tokens) {
    query[KEYS[key].parameter] = KEYS[key].send ? KEYS[key].send(value) : value;
  }
  if (filter.text !== '') {
    query.q = filter.text;
  }
  return query;
}

/* The parameters as they stand in the panel's address. */
export function toHash(filter) {
  return {
    ...toQuery(filter),
    ...(filter.errors ? { errors: '1' } : {}),
    ...(filter.polls ? { polls: '1' } : {}),
  };
}

/* Reads an address: {filter, problems}, the latter in words for each value that was left out. */
export function fromHash(parameters) {
  const filter = emptyFilter();
  const problems = [];

  for (const [key, rule] of Object.entries(KEYS)) {
    const sent = parameters.get(rule.parameter);

    if (sent !== null) {
      const value = rule.read ? rule.read(sent) : sent;
      const problem = tokenProblem(key, value);

      if (problem === null) {
        addToken(filter, key, value);
      } else {
        problems.push(`${key}:${value} is left out: ${problem}`);
      }
    }
  }
  filter.text = parameters.get('q') ?? '';
  filter.errors = parameters.has('errors');
  filter.polls = parameters.has('polls');
  return { filter, problems };
}

/* Whether it hides anything, polls aside. */
export function isNarrowing(filter) {
  return filter.errors || asksServer(filter);
}

/* Whether the server may know matches that the page cannot see by itself. */
export function asksServer(filter) {
  return filter.tokens.size > 0 || filter.text !== '';
}

/* `foundByServer(seq)` says whether the server found the text in this exchange. */
export function matches(filter, row, foundByServer) {
  if ((row.poll && !filter.polls) || (filter.errors && !isFailed(row))) {
    return false;
  }
  for (const [key, value] of filter.tokens) {
    if (!KEYS[key].test(row, value)) {
      return false;
    }
  }
  return (
    filter.text === '' ||
    row.path.includes(filter.text) ||
    row.query.includes(filter.text) ||
    foundByServer(row.seq)
  );
}

/* As a person would write it, for sentences. */
export function describe(filter) {
  const words = [...filter.tokens].map(([key, value]) => `${key}:${value}`);

  if (filter.text !== '') {
    words.push(`“${filter.text}”`);
  }
  return [words.join(' '), filter.errors && 'errors only'].filter(Boolean).join(', ');
}

/* What failed in the same way: same method and path, same status, or state where there was none. */
export function filterLike(row) {
  const filter = emptyFilter();

  addToken(filter, 'method', row.method);
  addToken(filter, 'path', row.path);
  if (row.status > 0) {
    addToken(filter, 'status', String(row.status));
  } else {
    addToken(filter, 'state', row.state);
  }
  return filter;
}

/* How many of `rows` but the one itself. */
export function countLike(rows, row) {
  const filter = filterLike(row);

  return rows.filter((each) => each.seq !== row.seq && matches(filter, each, () => false)).length;
}
