/*
 * One job: what stands in the table's place, or after its last row, where there is something to say:
 * loading, nothing yet, nothing that matches, what was evicted.
 */

import { button, el, iconButton } from './dom.js';
import { describe, isNarrowing } from './filter.js';
import { count, plural, roundSize } from './format.js';

const SKELETON = [70, 55, 62, 48, 66, 58, 72, 51];

function empty(title, ...rest) {
  return el('div', { class: 'empty' }, el('b', {}, title), rest);
}

function loading() {
  return SKELETON.map((width) => {
    const path = el('i', { class: 'skeleton' });

    path.style.width = `${width}%`;
    return el(
      'div',
      { class: 'skeleton-row', 'aria-hidden': 'true' },
      el('i', { class: 'skeleton' }),
      el('i', { class: 'skeleton' }),
      path,
      el('i', { class: 'skeleton' }),
    );
  });
}

/* A command that reaches the proxy itself: by this page's address where it is one of the proxy's. */
export function curlCommand(listen, here = location) {
  const port = here.port || (here.protocol === 'https:' ? '443' : '80');
  const first = listen[0] ?? here.host;

  if (listen.length === 0 || listen.some((address) => address.endsWith(`:${port}`))) {
    return `curl -i ${here.origin}/`;
  }
  if (first.startsWith('unix:')) {
    return `curl -i --unix-socket ${first.slice('unix:'.length)} http://localhost/`;
  }
  return `curl -i http://${first.replace(/^(0\.0\.0\.0|\[::\])?(?=:\d+$)/, here.hostname)}/`;
}

function waiting({ info, hadRows }, { notices }) {
  const command = curlCommand(info?.server?.listen ?? []);

  return empty(
    `Waiting for the ${hadRows ? 'next' : 'first'} request`,
    el('p', {}, 'Send one through the proxy; it appears here at once.'),
    el(
      'div',
      { class: 'code' },
      el('code', {}, command),
      iconButton('Copy the command', 'copy', () => notices.copy(command, 'the command')),
    ),
    el('p', { class: 'muted' }, 'No upstream at hand? ', el('code', {}, 'sightglass --demo')),
  );
}

function pollsOnly(polls, { onShowPolls }) {
  return empty(
    'Only polls so far',
    el('p', {}, `${plural(polls, 'poll is', 'polls are')} kept as rows; they are not shown.`),
    button('Show polls', onShowPolls),
  );
}

function noMatch(filter, held, { onClearFilter }) {
  return empty(
    'No exchange matches',
    el('p', {}, `${plural(held, 'is', 'are')} kept, and none passes ${describe(filter)}`),
    button('Clear the filter', onClearFilter),
  );
}

function endNote(info) {
  const bound = [`the ring keeps ${count(info.capacity)}`];

  if (info.bytes_capacity > 0) {
    bound.push(`or ${roundSize(info.bytes_capacity)}`);
  }
  return el(
    'div',
    { class: 'end-note' },
    `${plural(info.evicted, 'older exchange was', 'older exchanges were')} evicted: ${bound.join(', ')}`,
  );
}

function pageNote(limit) {
  return el('div', { class: 'end-note' }, `This page holds the newest ${count(limit)} rows`);
}

/*
 * {key, nodes}: the nodes need to be made anew only where the key is another one. `context` is {feed,
 * store, tally, shown, filter} and `actions` {notices, onShowPolls, onClearFilter}.
 */
export function tailOf({ feed, store, tally, shown, filter }, actions) {
  const { info, state } = feed;
  const held = tally.exchanges + (filter.polls ? tally.polls : 0);

  if (shown > 0) {
    if (isNarrowing(filter) || info === null) {
      return { key: 'none', nodes: () => [] };
    }
    if (store.rows.length >= store.limit) {
      return { key: 'page', nodes: () => [pageNote(store.limit)] };
    }
    return info.evicted > 0
      ? { key: `evicted ${info.evicted}`, nodes: () => [endNote(info)] }
      : { key: 'none', nodes: () => [] };
  }
  if (state === 'loading') {
    return { key: 'loading', nodes: loading };
  }
  if (info === null) {
    return { key: 'none', nodes: () => [] };
  }
  if (held > 0 && isNarrowing(filter)) {
    return {
      key: `match ${held} ${describe(filter)}`,
      nodes: () => [noMatch(filter, held, actions)],
    };
  }
  if (tally.polls > 0 && !filter.polls) {
    return { key: `polls ${tally.polls}`, nodes: () => [pollsOnly(tally.polls, actions)] };
  }
  return { key: `waiting ${feed.hadRows}`, nodes: () => [waiting(feed, actions)] };
}
