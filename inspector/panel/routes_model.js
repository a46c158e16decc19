/*
 * One job: what the statistics of a route mean, and which of them an exchange belongs to. Functions of
 * the API's items alone.
 */

import { globMatches } from './filter.js';

const number = (value) => (Number.isFinite(value) ? value : 0);
const text = (value) => (typeof value === 'string' ? value : '');

/* Of {"2xx": 3, "404": 1, "none": 2}: how many failed, and how many were switched to a tunnel. */
function outcomes(status) {
  let failed = 0;
  let tunnels = 0;

  for (const [name, times] of Object.entries(status ?? {})) {
    if (/^1/.test(name)) {
      tunnels += number(times);
    } else if (!/^[23]/.test(name)) {
      failed += number(times); /* 4xx, 5xx, and whatever stands for no answer */
    }
  }
  return { failed, tunnels };
}

export function toRoute(item) {
  const { failed: counted, tunnels } = outcomes(item.status);
  const failed = Math.max(counted, number(item.errors)); /* one that broke off has its status all the same */
  const count = number(item.count);
  const unchanged = number(item.unchanged);
  /* The first answer of a URL has none before it to be compared with. */
  const compared = item.compared ?? Math.max(unchanged, count - 1);

  return {
    key: `${text(item.route)} ${text(item.method)} ${text(item.path)}`,
    route: text(item.route),
    method: text(item.method),
    path: text(item.path) || text(item.route) || 'other',
    capture: text(item.capture),
    count,
    active: number(item.active),
    failed,
    errorRate: count > 0 ? failed / count : 0,
    streams: tunnels > 0 && tunnels === count - failed,
    p50: item.p50_ms ?? NaN,
    p95: item.p95_ms ?? NaN,
    p99: item.p99_ms ?? NaN,
    mean: item.mean_ms ?? NaN,
    callsPerRequest: count > 0 && Number.isFinite(item.upstream_calls) ? item.upstream_calls / count : NaN,
    interval: item.interval_ms ?? NaN,
    unchanged,
    compared: number(compared),
    unchangedRate: unchanged > 0 && compared > 0 ? unchanged / compared : NaN,
  };
}

const ID = '{id}';
const IDENTIFIER =
  /^(\d+|[0-9a-f]{8,}|[0-9a-f]{8}-[0-9a-f-]{4,}|(?=[^.]*\d)[\w~-]{16,})$/i;

/* The path with what looks like an identifier folded; only where the statistics do not say how. */
export function foldIdentifiers(path) {
  return path
    .split('/')
    .map((segment) => (IDENTIFIER.test(segment) ? ID : segment))
    .join('/');
}

const REST = '…'; /* stands for further segments, where a path has very many */

/* Whether a path is one of a folded one: segment by segment. */
function isOf(path, pattern) {
  const segments = path.split('/');
  const wanted = pattern.split('/');
  const open = wanted.at(-1) === REST;

  if (open) {
    wanted.pop();
  }
  return (
    (open ? segments.length > wanted.length : segments.length === wanted.length) &&
    wanted.every((each, i) => each === segments[i] || (/^\{.+\}$/.test(each) && segments[i] !== ''))
  );
}

/* Names paths as the statistics fold them. Made for one reading of `items`, which may be null. */
export class RouteNames {
  #items;
  #known = new Map();

  constructor(items) {
    this.#items = items ?? [];
  }

  /* {name, item}: `item` is undefined where the statistics have none. */
  of(method, path) {
    const key = `${method} ${path}`;

    if (!this.#known.has(key)) {
      const item = this.#items.find((each) => each.method === method && isOf(path, each.path));

      this.#known.set(key, { name: item?.path ?? foldIdentifiers(path), item });
    }
    return this.#known.get(key);
  }
}

/* The filter of the traffic that a route stands for, as parameters of the panel's address. */
export function trafficOf(item) {
  const parameters = {};

  if (item.route !== '' && item.route !== 'other') {
    parameters.route = item.route;
  }
  if (item.method !== '' && !item.method.startsWith('_')) {
    parameters.method = item.method;
  }
  if (item.path !== item.route && item.path.startsWith('/')) {
    parameters.path = item.path.replace(/\{[^}]+\}|…$/g, '*');
  }
  if (item.capture === 'row') {
    parameters.polls = '1';
  }
  return parameters;
}

/* Whether a route's line passes what was typed: each word stands in it, or matches as a glob. */
export function passes(item, typed) {
  const line = `${item.method} ${item.path}`.toLowerCase();

  return typed
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => (word.includes('*') ? globMatches(`*${word}*`, line) : line.includes(word)));
}
