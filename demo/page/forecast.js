/*
 * One job: a poll as it should not be: it asks again before its answer is there, for what never changes.
 * The inspector names it, and what it costs.
 */
import { getJson } from './api.js';
import { byId, setText } from './dom.js';

const EVERY_MS = 1000; /* and each answer takes longer */

async function ask() {
  try {
    const { reports } = await getJson('/api/forecast', { poll: true });
    const busiest = reports.reduce((most, each) => (each.jobs > most.jobs ? each : most));

    setText(byId('forecast-note'), `forecast: most in ${busiest.month}, ${busiest.jobs} jobs`);
  } catch (error) {
    setText(byId('forecast-note'), `forecast: ${error.message}`);
  }
}

export function startForecast() {
  ask();
  setInterval(ask, EVERY_MS);
}
