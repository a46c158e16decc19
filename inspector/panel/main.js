/*
 * One job: put the panel together: what all views share, the frame around them, and which one the
 * address names.
 */

import { readAddress, writeAddress } from './address.js';
import { Connection } from './connection.js';
import { el } from './dom.js';
import { Feed } from './feed.js';
import { Footer } from './footer.js';
import { Keys } from './keys.js';
import { Marks } from './marks.js';
import { Notices } from './notices.js';
import { Pause } from './pause.js';
import { PollsWatch } from './polls_watch.js';
import { RoutesFeed } from './routes_feed.js';
import { Search } from './search.js';
import { Store } from './store.js';
import { UpstreamsFeed } from './upstreams_feed.js';
import { VIEWS } from './views.js';

const notices = new Notices();
const store = new Store();
const feed = new Feed(store);
const routes = new RoutesFeed();
const upstreams = new UpstreamsFeed();
const pause = new Pause({ feed, notices });
const panel = {
  store,
  feed,
  routes,
  upstreams,
  polls: new PollsWatch({ store, feed, routes, upstreams }),
  marks: new Marks({ notices }),
  notices,
  search: new Search(),
  pause,
  connection: new Connection({ feed, notices, pause }),
};
const keys = new Keys();
const footer = new Footer(document.getElementById('foot'));
const main = document.getElementById('main');
const nav = document.getElementById('views');
const views = new Map(); /* those that were shown once, by name */
let current = null;

function viewNamed(name) {
  const { create } = VIEWS.find((view) => view.name === name);

  if (!views.has(name)) {
    const view = create(panel);

    views.set(name, view);
    main.append(view.element);
  }
  return views.get(name);
}

function frameKeys() {
  const numbers = VIEWS.map(({ name }, i) => ({
    keys: [String(i + 1)],
    shown: i === 0 ? ['1', '…', String(VIEWS.length)] : undefined,
    label: i === 0 ? 'Views' : null,
    run: () => go(name),
  }));

  return [
    { keys: ['p'], label: 'Pause, resume', run: () => pause.toggle() },
    { keys: ['m'], label: 'Mark now', run: () => panel.marks.set() },
    ...numbers,
    { keys: ['?'], label: 'This list', run: showKeys },
  ];
}

function showKeys() {
  const version = feed.info?.server?.version;

  keys.showList(version ? `Sightglass ${version}` : 'Sightglass');
}

/* Shows what the address names; the first view where it names none. */
function followAddress() {
  const { view, parameters } = readAddress();
  const known = VIEWS.some(({ name }) => name === view);
  const { name, title } = VIEWS.find((each) => each.name === view) ?? VIEWS[0];
  const next = viewNamed(name);

  if (current !== next) {
    current?.hide();
    for (const each of views.values()) {
      each.element.hidden = each !== next;
    }
    current = next;
  }
  for (const link of nav.children) {
    if (link.dataset.view === name) {
      link.setAttribute('aria-current', 'page');
    } else {
      link.removeAttribute('aria-current');
    }
  }
  document.title = `Sightglass · ${title}`;
  keys.set([...next.keys, ...frameKeys()]);
  next.show(known ? parameters : new URLSearchParams());
}

function go(name) {
  writeAddress(name, {}, { push: true });
  followAddress();
}

function buildNav() {
  nav.replaceChildren(
    ...VIEWS.map(({ name, title, badge }) =>
      el('a', { href: `#${name}`, 'data-view': name }, title, badge && [' ', badge(panel)]),
    ),
  );
  document.body.classList.toggle('one-view', VIEWS.length === 1);
}

buildNav();
feed.addEventListener('info', () => footer.show(feed.info));
document.getElementById('help').addEventListener('click', showKeys);
document.getElementById('skip').addEventListener('click', (event) => {
  event.preventDefault();
  current.focus();
});
addEventListener('hashchange', followAddress);
followAddress();
feed.run();
routes.run();
upstreams.run();
