/*
 * One job: what can be done with the exchange that the detail shows: send it again as it was or edited,
 * compare the two answers, copy it as a command. The editor and the comparison stand over the exchange,
 * one at a time.
 */

import { answersCompared } from './answers.js';
import { ApiError, getCurl } from './api.js';
import { actionButtons } from './detail_head.js';
import { Editor } from './editor.js';
import { Replay } from './replay.js';
import { replayBox } from './replay_box.js';

export class DetailActions {
  #tools;
  #replay;
  #row = null;
  #record = null;
  #editor = null;
  #answers = null; /* the element of the two answers compared */
  #abort = new AbortController();

  /*
   * `tools` is {notices, onHead(), onBody(), onLeave(), onOpen(seq)}: the head, or what is below the tabs,
   * has to be shown anew; the focus has to go back into the detail; another exchange is asked for.
   */
  constructor(tools) {
    this.#tools = tools;
    this.#replay = new Replay({ notices: tools.notices, onChange: () => this.#replayChanged() });
  }

  /* Another exchange is shown; `record` is null until it has come. */
  reset(row, record) {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#row = row;
    this.#record = record;
    this.uncover();
    this.#replay.reset(row);
  }

  /* The same one, read anew. */
  take(row, record) {
    if (this.#row === null) {
      this.#replay.reset(row);
    }
    this.#row = row;
    this.#record = record;
  }

  /* What stands over the exchange; null where nothing does. */
  get cover() {
    return this.#editor?.element ?? this.#answers;
  }

  uncover() {
    this.#editor = null;
    this.#answers = null;
  }

  buttons() {
    return actionButtons(this.#row, {
      onReplay: () => this.replay(),
      onEdit: () => this.edit(),
      onCurl: () => this.curl(),
    });
  }

  /* What the head says of a replay, or null. */
  words() {
    return replayBox(this.#replay, this.#row, {
      comparing: this.#answers !== null,
      onSend: () => {
        this.#replay.send();
        this.#tools.onLeave();
      },
      onCancel: () => this.back(),
      onEdit: () => this.edit(),
      onCompare: () => this.#compare(),
      onOpen: () => this.#tools.onOpen(this.#replay.row.seq),
    });
  }

  /* Sends it again; `asks` where a key alone must not change anything. */
  replay({ asks = false } = {}) {
    if (this.#may()) {
      this.uncover();
      this.#tools.onBody();
      this.#replay.start({ asks });
    }
  }

  edit() {
    if (!this.#may() || this.#record === null || this.#editor !== null) {
      return;
    }
    this.#answers = null;
    this.#editor = new Editor(this.#record, {
      onSend: (changes) => this.#replay.send(changes),
      onCancel: () => this.#closeEditor(),
    });
    this.#replay.cancel();
    this.#tools.onHead();
    this.#tools.onBody();
    this.#editor.focus();
  }

  async curl() {
    const { notices } = this.#tools;

    if (!this.#may()) {
      return;
    }
    try {
      notices.copy(await getCurl(this.#row.seq), 'as curl. What was redacted is left out.');
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      notices.say(`Nothing was copied. ${error.words}`);
    }
  }

  /* One step back from what stands over the exchange; false where nothing does. */
  back() {
    if (this.#editor !== null) {
      this.#closeEditor();
      return true;
    }
    if (this.#replay.state === 'asking') {
      this.#replay.cancel();
      this.#tools.onLeave();
      return true;
    }
    if (this.#answers !== null) {
      this.#answers = null;
      this.#tools.onHead();
      this.#tools.onBody();
      return true;
    }
    return false;
  }

  #may() {
    if (this.#row?.poll) {
      this.#tools.notices.say(
        'Only its row is kept: there is no request to send again or to copy.',
      );
    }
    return this.#row !== null && !this.#row.poll;
  }

  #closeEditor() {
    this.#editor = null;
    this.#tools.onHead();
    this.#tools.onBody();
    this.#tools.onLeave();
  }

  /* The editor stays until its request was taken, so that nothing typed is lost. */
  #replayChanged() {
    const { state, problem } = this.#replay;

    if (this.#editor !== null && state === 'done') {
      this.#editor = null;
      this.#tools.onBody();
      this.#tools.onLeave();
    } else {
      this.#editor?.showProblem(state === 'refused' || state === 'failed' ? problem : null);
    }
    this.#tools.onHead();
  }

  async #compare() {
    const { signal } = this.#abort;

    if (this.back()) {
      return;
    }
    try {
      const answers = await answersCompared(this.#record, this.#replay.record, signal);

      if (!signal.aborted) {
        this.#answers = answers;
        this.#tools.onHead();
        this.#tools.onBody();
      }
    } catch (error) {
      if (!signal.aborted) {
        throw error;
      }
    }
  }
}
