/*
 * One job: save what the filter shows as a HAR file. The page fetches it first, so that a refusal is said
 * here and no file of an error is saved.
 */

import { ApiError, getHar } from './api.js';
import { toQuery } from './filter.js';

const MOST = 1000; /* exchanges in one file: what one answer of the API holds */

function fileName() {
  return `sightglass-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}.har`;
}

export async function saveHar(filter, { notices }) {
  try {
    const blob = await getHar({ ...toQuery(filter), limit: MOST });
    const url = URL.createObjectURL(blob);
    const link = document.createElement('a');

    link.href = url;
    link.download = fileName();
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
    notices.say(`Saved ${link.download}`);
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    notices.say(
      error.absent
        ? 'This Sightglass cannot export: it has no api/har.'
        : `Nothing was saved. ${error.words}`,
    );
  }
}
