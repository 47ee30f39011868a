// The page: the key, search and its results, one record at a time. Chat is in chat.js; what both use, in api.js.

import { $, call, keepKey, make, readKey, showProblem, visible } from "./api.js";
import { chat } from "./chat.js";

const query = $("query"), results = $("results"), status = $("status"), problem = $("problem");
const keyDialog = $("key-dialog"), recordDialog = $("record");

// ---- The key ----

/** Shows an error where it belongs: one about the key asks for another. */
function report(place, error) {
  if (error.name === "AbortError") return;
  if (error.status === 401) return askForKey("That key is not valid any more.");
  showProblem(place, error);
}

let afterKey = null;

function askForKey(message, then) {
  afterKey = then ?? afterKey;
  $("key-problem").hidden = !message;
  $("key-problem").textContent = message ?? "";
  $("cancel-key").hidden = !readKey() || Boolean(message);
  $("key").value = "";
  // The address stays: with the new key the record opens again.
  if (recordDialog.open) recordDialog.close();
  if (!keyDialog.open) keyDialog.showModal();
  $("key").focus();
}

$("key-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const key = $("key").value.trim();
  if (!key) return;
  try {
    // Any answer but 401 means that the key is known; what it may do shows later.
    await call("/api/v1/airtable/bases", { key: encodeURI(key) });
  } catch (error) {
    if (error.status === 401 || error.status === 0) {
      $("key-problem").textContent = error.status ? "The server does not know this key." : error.message;
      $("key-problem").hidden = false;
      $("key").select();
      return;
    }
  }
  if (key !== readKey()) chat.forget();
  keepKey(key);
  keyDialog.close();
  await start();
});
$("cancel-key").addEventListener("click", () => keyDialog.close());
$("change-key").addEventListener("click", () => askForKey());
keyDialog.addEventListener("cancel", (event) => { if (!readKey()) event.preventDefault(); });

// ---- Filters ----

async function loadBases() {
  try {
    const { bases } = await call("/api/v1/airtable/bases");
    const chosen = $("base").value;
    $("base").replaceChildren(make("option", { value: "" }, "All bases"),
      ...bases.map((base) => make("option", { value: base.id }, base.name)));
    chat.setBases(bases);
    $("base").value = bases.some((base) => base.id === chosen) ? chosen : "";
    $("filters").hidden = bases.length === 0;
    if (bases.length === 0) status.textContent = "There are no bases yet. Import one with pyairtable-ai import.";
  } catch (error) {
    if (error.status === 403) return; // Searching may still be allowed.
    report(problem, error);
  }
}

async function loadTables() {
  const base = $("base").value;
  $("table").replaceChildren(make("option", { value: "" }, "All tables"));
  $("table-filter").hidden = !base;
  if (!base) return;
  try {
    const { tables } = await call(`/api/v1/airtable/bases/${base}/tables`);
    if ($("base").value !== base) return;
    for (const table of tables) {
      schemas.set(table.id, table);
      $("table").append(make("option", { value: table.id }, table.name));
    }
  } catch (error) {
    $("table-filter").hidden = true;
    if (error.status !== 403) report(problem, error);
  }
}

$("base").addEventListener("change", async () => { await loadTables(); search(); });
$("table").addEventListener("change", () => search());

// ---- Searching ----

let running = null;
let timer = 0;

async function search() {
  clearTimeout(timer);
  running?.abort();
  const text = query.value.trim();
  problem.hidden = true;
  $("welcome").hidden = Boolean(text);
  if (!text) {
    results.replaceChildren();
    status.textContent = "";
    return;
  }
  if (!readKey()) return askForKey(null, search);
  const mine = running = new AbortController();
  const slow = setTimeout(() => { status.textContent = "Searching…"; }, 300);
  const body = { query: text, limit: 20 };
  if ($("base").value) body.bases = [$("base").value];
  if ($("base").value && $("table").value) body.tables = [$("table").value];
  try {
    const answer = await call("/api/v1/search", { body, signal: mine.signal });
    results.replaceChildren(...answer.hits.map(hitItem));
    const count = answer.hits.length;
    status.textContent = count
      ? `${count} ${count === 1 ? "record" : "records"} in ${Math.max(1, Math.round(answer.tookMs))} ms`
      : "Nothing found. Try other words, or fewer filters.";
    if (answer.degraded) status.textContent += " By words only: the embedding model did not answer.";
  } catch (error) {
    if (error.name !== "AbortError") {
      status.textContent = "";
      results.replaceChildren();
    }
    report(problem, error);
  } finally {
    clearTimeout(slow);
  }
}

function hitItem(hit) {
  const title = display(Object.values(hit.fields)[0]) || hit.recordId;
  const foot = make("p", { class: "foot" });
  if (hit.matched.semantic) foot.append(make("span", { class: "chip", title: "Found by what it means" }, "meaning"));
  if (hit.matched.lexical) foot.append(make("span", { class: "chip", title: "Has words of the query" }, "words"));
  return make("li", {}, make("a", { class: "hit", href: address(hit.baseId, hit.tableId, hit.recordId) },
    make("p", { class: "place" }, `${hit.base} › ${hit.table}`),
    make("h2", { dir: "auto" }, title),
    make("p", { class: "snippet", dir: "auto" }, ...highlighted(hit.snippet, hit.highlights)),
    foot));
}

/** Highlights count code points, JavaScript's strings count UTF-16. */
function highlighted(text, highlights) {
  const points = Array.from(text);
  const parts = [];
  let end = 0;
  for (const mark of highlights) {
    if (mark.start < end || mark.end > points.length) continue;
    parts.push(points.slice(end, mark.start).join(""));
    parts.push(make("mark", {}, points.slice(mark.start, mark.end).join("")));
    end = mark.end;
  }
  parts.push(points.slice(end).join(""));
  return parts;
}

$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
query.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(search, 220);
});

// ---- One record ----

const schemas = new Map();
let returnTo = null;
/** How many steps back the view is from which this record was opened; 0 when it was opened by its address. */
let depth = null;

/** The part of the address that tells the view behind a record. */
const view = () => location.hash.match(/^#\/chat(?:\/cnv\w{14})?/)?.[0] ?? "#";
const address = (base, table, record) => `${view()}/${base}/${table}/${record}`;

async function route() {
  const place = location.hash.match(/^(#(?:\/chat(?:\/cnv\w{14})?)?)\/(app\w{14})\/(tbl\w{14})\/(rec\w{14})$/);
  const [behind, base, table, record] = place?.slice(1) ?? [view()];
  const isChat = behind !== "#";
  $("search-view").hidden = isChat;
  $("chat-view").hidden = !isChat;
  document.body.classList.toggle("is-chat", isChat);
  const [shown, other] = isChat ? ["to-chat", "to-search"] : ["to-search", "to-chat"];
  $(shown).setAttribute("aria-current", "page");
  $(other).removeAttribute("aria-current");
  if (record) {
    depth = history.state?.depth ?? (depth === null ? 0 : depth + 1);
    history.replaceState({ depth }, "");
  } else depth = 0;
  if (!record && recordDialog.open) recordDialog.close();
  if (isChat) chat.show(behind.match(/cnv\w{14}/)?.[0] ?? null);
  else chat.hide();
  document.title = `${isChat ? chat.name() : "Search"} · pyairtable-ai`;
  if (record) await openRecord(base, table, record);
}

async function openRecord(base, table, record) {
  if (!readKey()) return askForKey(null, route);
  returnTo ??= document.activeElement;
  const root = `/api/v1/airtable/bases/${base}/tables/${table}`;
  $("record-title").textContent = "…";
  $("record-place").textContent = "";
  $("record-id").textContent = record;
  $("record-fields").replaceChildren();
  $("record-problem").hidden = true;
  if (!recordDialog.open) {
    recordDialog.showModal();
    // Not by an attribute: the browser would try it on loading, and complain when something has the focus already.
    $("record-title").focus();
  }
  try {
    const [schema, detail] = await Promise.all([
      schemas.get(table) ?? call(root), call(`${root}/records/${record}`),
    ]);
    if (!location.hash.endsWith(`/${base}/${table}/${record}`)) return;
    schemas.set(table, schema);
    const primary = schema.fields.find((field) => field.id === schema.primaryFieldId);
    $("record-title").textContent = visible(display(detail.fields[primary?.name]) || "Unnamed record");
    $("record-place").textContent = visible(schema.name);
    const names = new Map(detail.linked.map((link) => [link.id, link]));
    $("record-fields").replaceChildren(...schema.fields
      .filter((field) => field.id !== schema.primaryFieldId && detail.fields[field.name] !== undefined)
      .map((field) => make("div", { "data-field": field.id }, make("dt", {}, field.name),
        cell(field, detail.fields[field.name], base, names))));
    markQuote(chat.takeQuote(record), primary);
  } catch (error) {
    $("record-title").textContent = "Record";
    report($("record-problem"), error);
  }
}

/** Where a quote stands, for people: the record, and its field. */
async function placeOf({ baseId, tableId, recordId, fieldId }) {
  const root = `/api/v1/airtable/bases/${baseId}/tables/${tableId}`;
  const [schema, detail] = await Promise.all([
    schemas.get(tableId) ?? call(root), call(`${root}/records/${recordId}`),
  ]);
  schemas.set(tableId, schema);
  const name = (id) => schema.fields.find((field) => field.id === id)?.name;
  const title = display(detail.fields[name(schema.primaryFieldId)]);
  const place = fieldId === schema.primaryFieldId ? [schema.name] : [schema.name, title, name(fieldId)];
  return place.filter(Boolean).join(" › ");
}

/** Shows where in the record an answer has something from. */
function markQuote(citation, primary) {
  if (!citation) return;
  const place = citation.fieldId === primary?.id ? $("record-title")
    : $("record-fields").querySelector(`[data-field="${CSS.escape(citation.fieldId)}"] dd`);
  if (!place) return;
  const text = place.childNodes.length === 1 && place.firstChild.nodeType === Node.TEXT_NODE ? place.textContent : "";
  const quote = visible(citation.quote);
  const start = text.indexOf(quote);
  if (quote && start >= 0) {
    const end = start + quote.length;
    place.replaceChildren(text.slice(0, start), make("mark", {}, quote), text.slice(end));
  } else place.classList.add("cited");
  (place.querySelector("mark") ?? place).scrollIntoView({ block: "center" });
}

function cell(field, value, base, names) {
  switch (field.type) {
    case "multipleRecordLinks":
      return make("dd", { class: "chips" }, ...value.map((id) => {
        const link = names.get(id);
        return link
          ? make("a", { class: "chip", href: address(base, link.tableId, id) }, link.name || id)
          : make("span", { class: "chip" }, id);
      }));
    case "multipleAttachments":
      return make("dd", { class: "chips" }, ...value.map((file) => /^https?:\/\//i.test(file.url ?? "")
        ? make("a", { class: "chip", href: file.url, target: "_blank", rel: "noopener noreferrer" }, file.filename)
        : make("span", { class: "chip" }, file.filename)));
    case "singleSelect": return make("dd", { class: "chips" }, make("span", { class: "chip" }, display(value)));
    case "multipleSelects":
      return make("dd", { class: "chips" }, ...value.map((name) => make("span", { class: "chip" }, display(name))));
    case "checkbox": return make("dd", {}, value ? "✓ yes" : "no");
    case "rating": return make("dd", { "aria-label": `${value} of ${field.options?.max ?? 5}` }, "★".repeat(value));
    case "percent": return make("dd", {}, `${(value * 100).toFixed(field.options?.precision ?? 0)} %`);
    case "currency":
      return make("dd", {}, `${field.options?.symbol ?? ""}${value.toFixed(field.options?.precision ?? 2)}`);
    case "url":
      return /^https?:\/\//i.test(value)
        ? make("dd", {}, make("a", { href: value, target: "_blank", rel: "noopener noreferrer nofollow" }, value))
        : make("dd", {}, value);
    case "dateTime": case "createdTime": return make("dd", {}, make("time", { datetime: value }, moment(value)));
    default: return make("dd", { dir: "auto" }, display(value));
  }
}

function moment(text) {
  const date = new Date(text);
  if (Number.isNaN(date.valueOf())) return text;
  return date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

function display(value) {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map(display).join(", ");
  if (typeof value === "object") return value.filename ?? JSON.stringify(value);
  return String(value);
}

function closeRecord() {
  const behind = view();
  if (depth > 0) return history.go(-depth); // And `route` closes it.
  if (location.hash) history.replaceState(null, "", behind === "#" ? location.pathname : behind);
  if (recordDialog.open) recordDialog.close();
}

$("close-record").addEventListener("click", closeRecord);
recordDialog.addEventListener("cancel", (event) => { event.preventDefault(); closeRecord(); });
recordDialog.addEventListener("click", (event) => { if (event.target === recordDialog) closeRecord(); });
recordDialog.addEventListener("close", () => {
  const place = returnTo?.isConnected && returnTo !== document.body ? returnTo : entry();
  returnTo = null;
  place.focus();
});
window.addEventListener("hashchange", route);

/** Where one writes in the view that is shown. */
const entry = () => ($("chat-view").hidden ? query : $("question"));
$("skip").addEventListener("click", () => entry().focus());

// ---- Keyboard ----

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = event.target.matches("input, select, textarea");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    entry().focus();
    if (entry() === query) query.select();
    return;
  }
  if (!$("chat-view").hidden) return;
  const hits = [...results.querySelectorAll(".hit")];
  const place = hits.indexOf(document.activeElement);
  const inQuery = event.target === query;
  if (event.key === "Escape") {
    if (place >= 0) query.focus();
    else if (inQuery && query.value) { query.value = ""; search(); }
    return;
  }
  if (hits.length === 0 || (!inQuery && place < 0 && typing)) return;
  let next;
  if (event.key === "ArrowDown") next = Math.min(place + 1, hits.length - 1);
  else if (event.key === "ArrowUp" && !inQuery) next = place - 1;
  else if (event.key === "Home" && place >= 0) next = 0;
  else if (event.key === "End" && place >= 0) next = hits.length - 1;
  else return;
  event.preventDefault();
  if (next < 0) query.focus();
  else {
    hits[next].focus();
    hits[next].scrollIntoView({ block: "nearest" });
  }
});

// ---- Start ----

async function start() {
  const then = afterKey;
  afterKey = null;
  await loadBases();
  if (then) await then();
  else await route();
  if (!document.querySelector("dialog[open]")) entry().focus();
}

chat.begin({ askForKey, address, placeOf });
if (readKey()) start();
else {
  route();
  askForKey();
}
