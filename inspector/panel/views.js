/*
 * One job: the register of views. A view is a module of its own that joins by one line here; the top
 * bar shows what is registered and nothing else.
 *
 * A view is {name, title, create, badge}. `create(panel)` gets what main.js has built {store, feed,
 * routes, polls, marks, upstreams, search, notices, pause, connection} and returns {
 *   element,                what stands in <main>
 *   keys,                   its bindings, see keys.js
 *   show(parameters),       the address names it: take its state from there, and the banner
 *   hide(),                 another view is shown
 *   focus(),                to what the view is about
 * }.
 * `badge(panel)`, where there is one, makes what stands beside the title; called once, at the start.
 */

import { compare } from './compare.js';
import { polls } from './polls.js';
import { routes } from './routes.js';
import { traffic } from './traffic.js';
import { upstreams } from './upstreams.js';

export const VIEWS = [traffic, polls, routes, upstreams, compare];
