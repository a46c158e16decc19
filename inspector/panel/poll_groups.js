/*
 * One job: find the polls among the rows that the page holds: what comes back at a steady pace, with
 * what it cost over the last five minutes. No DOM, no requests.
 *
 * A poll: {key, method, path, item, calls, urls, every, together, overlapping, compared, unchanged,
 * bytes, upstreamMs, ticks, route, upstream}. `calls` are rows, the oldest first; `item` is the route's
 * statistics, where there are any; `compared` is how many answers could be told from the one before.
 */

import { durationOf, isLive, isMutation, isTunnel } from './model.js';
import { RouteNames } from './routes_model.js';
import { paceOf } from './steadiness.js';

export const WINDOW_S = 300;
export const STRIP_S = 100; /* what the strip of a poll shows */
const LEAST_CALLS = 4;
const LEAST_AGAIN = 3; /* calls of each URL, on the average: a walk through a list is no poll */
const LEAST_EVERY_S = 0.2; /* what comes faster is load, not a poll */

/* Rows of the window by method and folded path; what keeps open is no poll. */
function groups(rows, names, now) {
  const found = new Map();

  for (const row of rows) {
    if (now - row.ts >= WINDOW_S || isMutation(row.method) || isTunnel(row)) {
      continue;
    }

    const { name, item } = names.of(row.method, row.path);
    const key = `${row.method} ${name}`;

    if (!found.has(key)) {
      found.set(key, { key, method: row.method, path: name, item, calls: [] });
    }
    found.get(key).calls.push(row);
  }
  return found.values();
}

export const endOf = (row) => row.ts + durationOf(row) / 1000;

/* The same URL, as far as the page knows it. */
export function byUrl(calls) {
  const urls = new Map();

  for (const row of calls) {
    const url = row.path + row.query;

    if (!urls.has(url)) {
      urls.set(url, []);
    }
    urls.get(url).push(row);
  }
  return [...urls.values()];
}

/* How many began while the same call was still in flight. */
function countOverlaps(urls) {
  let overlapping = 0;

  for (const calls of urls) {
    let busyUntil = -Infinity;

    for (const row of calls) {
      overlapping += row.ts < busyUntil ? 1 : 0;
      busyUntil = Math.max(busyUntil, endOf(row));
    }
  }
  return overlapping;
}

/* true, false, or null where it cannot be told whether the answer was the one before it. */
function repeats(row, before) {
  if (row.status === 304 || row.unchanged !== null) {
    return row.status === 304 || row.unchanged;
  }
  if (!before || row.status !== before.status) {
    return before ? false : null;
  }
  if (row.hash !== '' && before.hash !== '') {
    return row.hash === before.hash;
  }
  return row.responseSize === before.responseSize ? null : false;
}

/* {compared, unchanged, changed: Set of rows}, of what the rows themselves tell. */
function compareAnswers(urls) {
  const told = { compared: 0, unchanged: 0, known: 0, changed: new Set() };

  for (const calls of urls) {
    let before = null;

    for (const row of calls) {
      if (isLive(row) || row.status === 0) {
        continue;
      }

      const same = repeats(row, before);

      told.known += row.hash !== '' || row.unchanged !== null || row.status === 304 ? 1 : 0;
      if (same !== null) {
        told.compared += 1;
        told.unchanged += same ? 1 : 0;
      }
      if (same === false) {
        told.changed.add(row);
      }
      before = row;
    }
  }
  return told;
}

function paceIn(calls, now) {
  const recent = calls.filter((row) => now - row.ts < STRIP_S).map((row) => row.ts);
  const pace = recent.length > LEAST_CALLS ? paceOf(recent) : null;

  return pace ?? paceOf(calls.map((row) => row.ts));
}

/* Where the rows do not tell, the route's own count does: excluded bodies are hashed as they pass. */
function unchangedOf(told, item, feed) {
  if (told.known > 0 || !item || item.compared === 0) {
    return told.known > 0 ? told : { compared: 0, unchanged: 0 };
  }
  return feed.unchangedOf(item);
}

function toPoll(group, feed, now) {
  const calls = group.calls.sort((a, b) => a.ts - b.ts);
  const pace = calls.length < LEAST_CALLS ? null : paceIn(calls, now);

  if (pace === null || pace.every < LEAST_EVERY_S) {
    return null;
  }

  const urls = byUrl(calls);

  if (calls.length < LEAST_AGAIN * urls.length) {
    return null;
  }

  const told = compareAnswers(urls);
  const { compared, unchanged } = unchangedOf(told, group.item, feed);
  const newest = calls.at(-1);

  return {
    ...group,
    urls,
    every: pace.every,
    together: pace.together,
    overlapping: countOverlaps(urls),
    compared,
    unchanged,
    unchangedRate: compared > 0 ? unchanged / compared : NaN,
    bytes: calls.reduce((sum, row) => sum + row.responseSize, 0),
    upstreamMs: calls.reduce((sum, row) => sum + durationOf(row), 0),
    kept: calls.filter((row) => !row.poll).length, /* as records of the ring */
    route: newest.route || group.item?.route || '',
    upstream: newest.upstream,
    ticks: calls
      .filter((row) => now - row.ts < STRIP_S)
      .map((row) => ({ ago: now - row.ts, changed: told.changed.has(row) })),
  };
}

/* `feed` is what routes_feed.js keeps; `now` the server's time in seconds. The busiest first. */
export function findPolls(rows, feed, now) {
  const polls = [];

  for (const group of groups(rows, new RouteNames(feed.items), now)) {
    const poll = toPoll(group, feed, now);

    if (poll !== null) {
      polls.push(poll);
    }
  }
  return polls.sort((a, b) => b.calls.length - a.calls.length);
}

/* Of all polls together, and of how many calls they were. */
export function sumPolls(polls, rows, now) {
  const sum = { calls: 0, compared: 0, unchanged: 0, upstreamMs: 0, all: 0 };

  for (const poll of polls) {
    sum.calls += poll.calls.length;
    sum.upstreamMs += poll.upstreamMs;
    if (poll.compared > 0) {
      sum.compared += poll.calls.length;
      sum.unchanged += poll.calls.length * poll.unchangedRate;
    }
  }
  for (const row of rows) {
    sum.all += now - row.ts < WINDOW_S ? 1 : 0;
  }
  return sum;
}
