// One answer: its steps, its text with citations, how it ended. And the place where it grows.

import { $, call, icon, lastEvents, make, visible } from "./api.js";
import { render } from "./markup.js";

/**
 * One answer on the page, made of its events.
 *
 * `asked` is the question. `page.address(base, table, record)` makes the address of a record, `page.onCite(citation)`
 * hears which citation was followed, `page.onAgain(asked)` asks once more.
 */
export class Turn {
  isOver = false;

  constructor(asked, page) {
    this.asked = asked;
    this.page = page;
    this.text = "";
    this.citations = new Map();
    this.steps = new Map();
    this.stepList = make("ol", { class: "steps", "aria-label": "What was done" });
    this.places = new Map();
    this.body = make("div", { class: "said" });
    this.sources = make("ol", { class: "sources", "aria-label": "Sources" });
    this.foot = make("div", { class: "end" });
    this.wait = make("p", { class: "wait" }, make("span", { class: "dots", "aria-hidden": "true" }), "Looking");
    this.item = make("li", { class: "answer" }, make("span", { class: "sr" }, "Answer: "),
      this.stepList, this.body, this.wait, this.sources, this.foot);
  }

  take({ type, data }) {
    switch (type) {
      case "run.started": this.model = data.model; break;
      case "text.delta": this.text += data.text; break;
      case "text.voided":
        this.text = new TextDecoder().decode(new TextEncoder().encode(this.text).slice(0, data.offset));
        break;
      case "tool.started": this.begin(data); break;
      case "tool.result": this.finish(data); break;
      case "citation": this.citations.set(data.marker, data); break;
      case "usage": this.usage = data; break;
      default:
        if (lastEvents.has(type)) return this.end(data);
    }
    this.draw();
  }

  /** Shows an answer that was made before, from the message and its run. */
  async settle({ answer, runId }, signal) {
    this.text = answer?.content ?? this.text;
    for (const citation of answer?.citations ?? []) this.citations.set(citation.marker, citation);
    this.show();
    if (!runId) return this.end({ endReason: "complete" });
    try {
      const run = await call(`${root}/runs/${runId}`, { signal });
      this.model = run.model;
      this.end({ endReason: run.endReason ?? "complete" });
    } catch (error) {
      if (error.name !== "AbortError") this.end({ endReason: "complete" }); // The text is there; how it ended is extra.
    }
  }

  begin({ callId, name, arguments: given }) {
    const line = make("li", { class: "running" }, make("span", { class: "mark", "aria-hidden": "true" }),
      make("span", {}, `${described(name, given)} `, make("span", { class: "outcome" })));
    this.steps.set(callId, line);
    this.stepList.append(line);
  }

  finish({ callId, name, isError, summary, durationMs }) {
    if (!this.steps.has(callId)) this.begin({ callId, name, arguments: {} });
    const line = this.steps.get(callId);
    line.className = isError ? "failed" : "done";
    line.querySelector(".mark").replaceChildren(icon(isError ? "cross" : "check"));
    line.querySelector(".outcome").textContent = visible([plain(summary), duration(durationMs)].filter(Boolean).join(" · "));
  }

  /** At most once a frame. */
  draw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.show();
    });
  }

  /** `isAtEnd`: whether the reader was where the text grows, before anything was added. */
  show(isAtEnd = nearEnd()) {
    render(this.body, this.text, (marker) => this.cite(marker), this.citations.size);
    // Listed at the end, so that nothing jumps while one reads.
    const used = [...this.citations.values()].filter(({ marker }) => this.isOver && this.text.includes(marker));
    this.sources.replaceChildren(...used.map((citation) => this.source(citation)));
    const running = [...this.steps.values()].some((line) => line.className === "running");
    this.wait.hidden = this.isOver || running || Boolean(this.text);
    this.body.classList.toggle("growing", !this.isOver && Boolean(this.text));
    if (isAtEnd) toEnd(true);
  }

  cite(marker) {
    const citation = this.citations.get(marker);
    if (!citation) return null;
    const link = make("a", {
      class: "cite", href: this.page.address(citation.baseId, citation.tableId, citation.recordId),
      title: citation.quote, "aria-label": `Source ${bare(marker)}: ${citation.quote}`,
    }, bare(marker));
    link.addEventListener("click", () => this.page.onCite(citation));
    return link;
  }

  source(citation) {
    const link = make("a", { href: this.page.address(citation.baseId, citation.tableId, citation.recordId) },
      make("span", { class: "number" }, bare(citation.marker)),
      make("span", { class: "passage" }, this.place(citation), make("span", { dir: "auto" }, citation.quote)));
    link.addEventListener("click", () => this.page.onCite(citation));
    return make("li", {}, link);
  }

  /** The line that tells where a quote stands: asked for when it comes into sight, and once. */
  place(citation) {
    const known = this.places.get(citation.marker);
    if (known) return known;
    const line = make("span", { class: "place" }, "\u00a0");
    this.places.set(citation.marker, line);
    const watch = new IntersectionObserver(async (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watch.disconnect();
      // Where it stands is extra; the quote is there.
      line.textContent = visible(await this.page.placeOf(citation).catch(() => "") || "\u00a0");
    });
    watch.observe(line);
    return line;
  }

  end({ endReason, message, droppedCitations }) {
    const isAtEnd = nearEnd();
    this.isOver = true;
    for (const line of this.steps.values()) if (line.className === "running") line.className = "failed";
    const lines = [];
    const [reason, isBad] = endings[endReason] ?? ["The answer ended in a way this page does not know.", true];
    if (reason) {
      const look = isBad && endReason !== "cancelled" ? "notice bad" : "notice";
      lines.push(make("p", { class: look }, reason, message && make("small", {}, message)));
    }
    if (droppedCitations) {
      lines.push(make("p", { class: "notice" }, droppedCitations === 1
        ? "One reference was left out: it leads to no record you can see."
        : `${droppedCitations} references were left out: they lead to no record you can see.`));
    }
    const about = make("p", { class: "about" });
    // The extractive one says itself that it is none.
    if (this.model && !/(^|\/)extractive/.test(this.model)) about.append(this.model);
    if (about.hasChildNodes()) lines.push(about);
    if (isBad && endReason !== "unknown" && this.asked?.content) {
      const again = make("button", { type: "button", class: "quiet again" }, "Ask again");
      again.addEventListener("click", () => this.page.onAgain(this.asked));
      lines.push(again);
    }
    this.foot.replaceChildren(...lines);
    this.show(isAtEnd);
  }

  /** For those who listen. */
  said() {
    const lines = [...this.body.children].map((block) => block.textContent);
    return [...lines, this.foot.querySelector(".notice")?.textContent].filter(Boolean).join(" ");
  }
}

/** What is said under an answer that did not simply end well, and whether asking again makes sense. */
const endings = {
  complete: [null, false],
  truncated: ["The answer stops here: it has the greatest length that the model may give.", true],
  refused: ["The model declined to answer this.", true],
  stopped: ["The model's provider ended this answer.", true],
  step_limit: ["Stopped: answering took more steps than are allowed.", true],
  time_limit: ["Stopped: answering took longer than is allowed.", true],
  token_limit: ["Stopped: answering took more tokens than are allowed.", true],
  cap_reached: ["The tokens for now are used up.", true],
  loop: ["Stopped: the model asked for the same thing again and again.", true],
  failed: ["The answer could not be made.", true],
  cancelled: ["You stopped this answer.", true],
  interrupted: ["The server stopped before the answer was finished.", true],
  unknown: ["What became of this answer could not be learned.", true],
};

const toolNames = {
  search_records: ["Searching records", (given) => given.query],
  find_similar: ["Finding similar records", () => null],
  list_bases: ["Looking at the bases", () => null],
  list_tables: ["Looking at the tables", (given) => given.base],
  describe_table: ["Looking at a table", (given) => given.table],
  list_records: ["Reading records", (given) => given.table],
  get_record: ["Reading a record", () => null],
  aggregate_records: ["Calculating", (given) => given.table],
  list_changes: ["Looking at changes", (given) => given.table ?? given.base],
  list_comments: ["Reading comments", () => null],
  ask: ["Looking for passages", (given) => given.question],
};

function described(name, given) {
  const [words, detail] = toolNames[name] ?? [name.replaceAll("_", " "), () => null];
  const about = detail(given ?? {});
  const isPlain = typeof about === "string" && about && !/^(app|tbl|rec|fld)\w{14}$/.test(about);
  return isPlain ? `${words}: “${about.length > 80 ? `${about.slice(0, 79)}…` : about}”` : words;
}

/** A tool's summary without what only programs want: identifiers, scores, the number of a list's first line. */
function plain(summary) {
  return (summary ?? "").replace(/ · rec\w{14} in tbl\w{14}| · score [\d.]+$|^1\. |:$/g, "")
    .replace(/ ?\((?:app|tbl|rec|fld)\w{14}\)/g, "").replace(/\b(?:app|tbl|rec|fld)\w{14} /g, "");
}

function duration(milliseconds) {
  if (typeof milliseconds !== "number") return "";
  return milliseconds < 1000 ? `${Math.max(1, Math.round(milliseconds))} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

const bare = (marker) => marker.replace(/^\[|\]$/g, "");

// ---- Scrolling ----

export const nearEnd = () => window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 96;

export function toEnd(isNow) {
  if ($("chat-view").hidden) return;
  const isCalm = isNow || matchMedia("(prefers-reduced-motion: reduce)").matches;
  window.scrollTo({ top: document.documentElement.scrollHeight, behavior: isCalm ? "instant" : "smooth" });
}

$("to-end").addEventListener("click", () => toEnd(false));
window.addEventListener("scroll", () => { $("to-end").hidden = nearEnd(); }, { passive: true });
