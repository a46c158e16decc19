/*
 * One job: the console, over a WebSocket.
 */
import { byId, el, prepend, setText } from './dom.js';
import { timeOfDay } from './format.js';

const MOST = 60;
let socket = null;

function show(direction, text) {
  prepend(
    byId('console'),
    el('li', { class: direction }, el('time', {}, timeOfDay(new Date())), el('span', { class: 'source' }, direction), el('span', {}, text)),
    MOST,
  );
}

function showState(word, connected) {
  setText(byId('console-note'), word);
  setText(byId('console-switch'), connected ? 'Close' : 'Connect');
}

function connect() {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';

  socket = new WebSocket(`${scheme}//${location.host}/api/console`);
  showState('connecting…', true);
  socket.addEventListener('open', () => showState('connected', true));
  socket.addEventListener('message', (event) => show('in', String(event.data)));
  socket.addEventListener('close', (event) => {
    socket = null;
    showState(`closed (${event.code})`, false);
  });
}

export function startConsole() {
  byId('console-switch').addEventListener('click', () => {
    if (socket) {
      socket.close(1000);
    } else {
      connect();
    }
  });
  byId('console-form').addEventListener('submit', (event) => {
    const box = byId('console-text');

    event.preventDefault();
    if (socket?.readyState === WebSocket.OPEN && box.value !== '') {
      socket.send(box.value);
      show('out', box.value);
      box.value = '';
    }
  });
  connect();
}
