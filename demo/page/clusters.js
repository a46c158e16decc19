/*
 * One job: the tiles of the clusters, and the nodes of the one that was clicked.
 */
import { getJson } from './api.js';
import { bar, byId, el, setBar, setText } from './dom.js';
import { poll } from './poll.js';

const tiles = new Map(); /* by the cluster's name */
let opened = null;

function row(word, meter, figure) {
  return el('span', { class: 'meter' }, el('span', { class: 'label' }, word), meter, figure);
}

function createTile(cluster) {
  const cpu = bar(0, 'CPU');
  const memory = bar(0, 'Memory');
  const cpuFigure = el('span', { class: 'figure' });
  const memoryFigure = el('span', { class: 'figure' });
  const status = el('span', { class: 'state' });
  const facts = el('span', { class: 'facts' });
  const tile = el(
    'button',
    { type: 'button', class: 'tile', 'aria-expanded': 'false', on: { click: () => toggleNodes(cluster.name) } },
    el('span', { class: 'tile-top' }, el('b', {}, cluster.name), status),
    el('span', { class: 'region' }, `${cluster.region} · ${cluster.version}`),
    row('CPU', cpu, cpuFigure),
    row('Mem', memory, memoryFigure),
    facts,
  );

  byId('clusters').append(tile);
  return { tile, cpu, memory, cpuFigure, memoryFigure, status, facts };
}

function showCluster(cluster) {
  const parts = tiles.get(cluster.name) ?? createTile(cluster);

  tiles.set(cluster.name, parts);
  setText(parts.status, cluster.status);
  parts.status.className = `state ${cluster.status}`;
  setBar(parts.cpu, cluster.cpu_percent, 'CPU');
  setBar(parts.memory, cluster.memory_percent, 'Memory');
  setText(parts.cpuFigure, `${cluster.cpu_percent} %`);
  setText(parts.memoryFigure, `${cluster.memory_percent} %`);
  setText(parts.facts, `${cluster.nodes_ready}/${cluster.nodes} nodes · ${cluster.pods} pods`);
}

async function toggleNodes(name) {
  const place = byId('nodes');

  opened = opened === name ? null : name;
  tiles.forEach(({ tile }, own) => tile.setAttribute('aria-expanded', String(own === opened)));
  place.hidden = opened === null;
  if (opened === null) {
    return;
  }
  try {
    const cluster = await getJson(`/api/clusters/${encodeURIComponent(name)}`);

    if (opened === name) {
      place.replaceChildren(
        el('span', { class: 'label' }, `Nodes of ${name}`),
        ...cluster.node_list.map((node) => el('span', { class: node.ready ? 'node' : 'node away' }, node.name.slice(-7))),
      );
    }
  } catch (error) {
    place.replaceChildren(error.message);
  }
}

export function startClusters() {
  poll('/api/monitor/aks', 2, byId('clusters-note'), ({ clusters }) => clusters.forEach(showCluster));
}
