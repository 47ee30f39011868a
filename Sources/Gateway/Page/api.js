// The key, the API, and the small tools that both views use. Data goes into text nodes only, never into markup.

export const $ = (id) => document.getElementById(id);

const keyName = "pyairtable.key";
export const readKey = () => sessionStorage.getItem(keyName);
export const keepKey = (key) => sessionStorage.setItem(keyName, key);

const hidden = new RegExp("(?![\\t\\n\\r\\u200c\\u200d])[\\p{Cc}\\p{Cf}\\p{Co}\\p{Zl}\\p{Zp}\\u034f\\u115f\\u1160\\u17b4\\u17b5"
  + "\\u2800\\u3164\\uffa0\\ufe00-\\ufe0d\\u{e0000}-\\u{e0fff}]", "gu");

/** Text of records and models with what nobody sees, or what turns the order of the rest, as `\u{202E}`. */
export const visible = (text) =>
  text.replace(hidden, (each) => `\\u{${each.codePointAt(0).toString(16).toUpperCase()}}`);

/** Makes an element; children that are strings become text, in which nothing hides. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    const isShown = name === "title" || name === "aria-label";
    element.setAttribute(name, value === true ? "" : isShown ? visible(String(value)) : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined)
    .map((child) => (child instanceof Node ? child : visible(String(child)))));
  return element;
}

/** One of the page's icons, by the id of its symbol in page.html. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("width", "16");
  svg.setAttribute("height", "16");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

export class Refusal extends Error {
  constructor(status, body) {
    super(body.detail || `The server answered ${status}.`);
    this.status = status;
    this.hint = body.hint;
    this.requestId = body.requestId;
  }
}

async function send(path, { method, body, signal, key = readKey(), accept }) {
  const headers = { Accept: accept, Authorization: `Bearer ${key}` };
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method: method ?? (body ? "POST" : "GET"), headers, signal, body: body && JSON.stringify(body),
      credentials: "omit", cache: "no-store",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, { detail: "The server cannot be reached.", hint: "Is it still running?" });
  }
  if (response.ok) return response;
  throw new Refusal(response.status, await response.json().catch(() => ({})));
}

/** Asks the API, and gives what it answers. */
export async function call(path, options = {}) {
  const response = await send(path, { ...options, accept: "application/json" });
  return response.json().catch(() => ({}));
}

export function showProblem(place, error) {
  place.replaceChildren(visible(error.message));
  const more = [error.hint, error.requestId && `Request ${error.requestId}`].filter(Boolean).join(" · ");
  if (more) place.append(make("small", {}, more));
  place.hidden = false;
}

// ---- Events ----

/**
 * Gives every event of a run above `after` to `onEvent`, each once and in order, until the last one.
 *
 * The run goes on without us, so whatever happens to the connection is mended by asking for the rest. `onGap` hears
 * that the connection is lost (true) and that it is there again (false). Ends early only when `signal` aborts, or by a
 * refusal that asking again would not change.
 */
export async function followRun(run, { after = 0, signal, onEvent, onGap = () => {} }) {
  let attempt = 0;
  while (true) {
    try {
      const response = await send(`/api/v1/chat/runs/${run}/events?after=${after}`, {
        signal, accept: "text/event-stream",
      });
      if (response.status === 204) return;
      onGap(false);
      for await (const text of eventData(response.body)) {
        const event = JSON.parse(text);
        if (event.seq <= after) continue;
        // One is missing: ask again from the last that is known.
        if (event.seq !== after + 1) break;
        after = event.seq;
        attempt = 0;
        onEvent(event);
        if (lastEvents.has(event.type)) return;
      }
    } catch (error) {
      if (signal?.aborted) throw error;
      const isFinal = error instanceof Refusal && error.status >= 400 && error.status < 500 && error.status !== 429;
      if (isFinal) throw error;
    }
    onGap(true);
    attempt += 1;
    await pause(Math.min(5000, 250 * 2 ** attempt) * (0.5 + Math.random() / 2), signal);
  }
}

export const lastEvents = new Set(["run.completed", "run.failed", "run.cancelled", "run.interrupted"]);

/** The data of each server-sent event of a stream, however its bytes are cut. */
async function* eventData(stream) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "", data = [];
  try {
    while (true) {
      const { value, done } = await reader.read();
      if (done) return; // An event without its empty line is not one.
      text += decoder.decode(value, { stream: true });
      const lines = text.split("\n");
      text = lines.pop();
      for (const line of lines.map((each) => each.replace(/\r$/, ""))) {
        if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
        else if (line === "" && data.length) {
          yield data.join("\n");
          data = [];
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // Whoever stops reading does not care why the stream fails.
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
