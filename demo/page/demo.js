/*
 * The sample dashboard: an ordinary page that polls, submits, listens and fails now and then, so
 * that the inspector has something to show. One job here: start its parts.
 */
import { startActions } from './actions.js';
import { startClusters } from './clusters.js';
import { startConsole } from './console.js';
import { byId, setText } from './dom.js';
import { startEvents } from './events.js';
import { startForecast } from './forecast.js';
import { startJobs } from './jobs.js';
import { poll } from './poll.js';

startActions();
startClusters();
startJobs();
startForecast();
poll('/api/me', 10, byId('me-note'), ({ name, email, role }) => setText(byId('me'), `${name} · ${role} · ${email}`));
startEvents();
startConsole();
