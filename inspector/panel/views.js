/*
 * One job: the register of views. A view is a module of its own that joins by one line here; the top
 * bar shows what is registered and nothing else.
 *
 * A view is {name, title, create}. `create(panel)` gets what main.js has built {store, feed, search,
 * notices, go} and returns {
 *   element,                what stands in <main>
 *   keys,                   its bindings, see keys.js
 *   show(parameters),       the address names it: take its state from there
 *   hide(),                 another view is shown
 * }.
 */

import { traffic } from './traffic.js';

export const VIEWS = [traffic];
