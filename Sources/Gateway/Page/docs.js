// The API document as a page. Everything on it is read from /openapi.json and made node by node; nothing is parsed as
// markup, and nothing comes from elsewhere.

const $ = (id) => document.getElementById(id);

/** An element with text or children. */
function make(name, className, ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const methods = ["get", "post", "put", "patch", "delete"];
let api;

/** What a schema says, in a few words. */
function words(schema) {
  if (schema === undefined || schema === true) return "anything";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  for (const key of ["anyOf", "oneOf"]) if (schema[key]) return schema[key].map(words).join(" or ");
  const type = Array.isArray(schema.type) ? schema.type.join(" or ") : schema.type ?? "anything";
  if (type === "array") return `array of ${words(schema.items)}`;
  return schema.format ? `${type} (${schema.format})` : type;
}

/** The limits of a value, in a few words. */
function limits(schema) {
  const parts = [];
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, pattern } = schema;
  if (minimum !== undefined || maximum !== undefined) parts.push(`${minimum ?? "…"} to ${maximum ?? "…"}`);
  if (minLength !== undefined || maxLength !== undefined) parts.push(`${minLength ?? 0} to ${maxLength ?? "…"} characters`);
  if (minItems !== undefined || maxItems !== undefined) parts.push(`${minItems ?? 0} to ${maxItems ?? "…"} elements`);
  if (pattern !== undefined) parts.push(pattern);
  if (schema.default !== undefined) parts.push(`default ${JSON.stringify(schema.default)}`);
  return parts.join("; ");
}

function table(heads, rows) {
  const body = make("tbody", "", ...rows.map((cells) => make("tr", "", ...cells.map((cell) => make("td", "", cell)))));
  const head = make("thead", "", make("tr", "", ...heads.map((text) => make("th", "", text))));
  return make("div", "scroll", make("table", "", head, body));
}

function code(text) { return make("code", "", text); }

/** A link to a shape, or the words of a schema that has no name. */
function shape(schema) {
  const name = schema?.$ref?.split("/").pop();
  if (!name) return document.createTextNode(words(schema));
  const link = make("a", "", name);
  link.href = `#shape-${name}`;
  return link;
}

function example(value) {
  return value === undefined ? null : make("pre", "", JSON.stringify(value, null, 2));
}

/** The content of a request or an answer: its types, shapes and examples. */
function contents(content) {
  const parts = [];
  for (const [type, media] of Object.entries(content ?? {})) {
    parts.push(make("p", "", code(type), " ", shape(media["x-event-data"] ?? media.schema)));
    parts.push(example(media.example ?? media["x-event-example"]));
  }
  return parts;
}

function resolved(value) {
  return value?.$ref ? value.$ref.slice(2).split("/").reduce((place, key) => place?.[key], api) : value;
}

function operation(path, method, item) {
  const summary = make(
    "summary", "", make("span", "method", method.toUpperCase()), make("span", "path", path),
    make("span", "line", item.summary ?? ""),
  );
  const detail = make("div", "detail");
  const box = make("details", "operation", summary, detail);
  box.id = item.operationId;
  // Most are never opened, so each is filled when it first is.
  box.addEventListener("toggle", () => { if (box.open && !detail.hasChildNodes()) fill(detail, item); });
  box.dataset.text = `${method} ${path} ${item.operationId} ${item.summary} ${item["x-permission"]}`.toLowerCase();
  return box;
}

function fill(detail, item) {
  if (item.description) detail.append(make("p", "", item.description));
  const parameters = (item.parameters ?? []).map(resolved);
  if (parameters.length) {
    detail.append(make("h3", "", "Parameters"), table(
      ["name", "in", "value", "limits", "meaning"],
      parameters.map((one) => [
        make("span", "", code(one.name), one.required ? " (required)" : ""), one.in, words(one.schema), limits(one.schema ?? {}),
        one.description ?? one.schema?.description ?? "",
      ]),
    ));
  }
  if (item.requestBody) detail.append(make("h3", "", "Body"), ...contents(item.requestBody.content).filter(Boolean));
  if (item["x-socket"]) {
    const socket = item["x-socket"];
    detail.append(make("h3", "", "Messages"), make("p", "", "from the client: ", shape(socket.client)));
    detail.append(example(socket.clientExample), make("p", "", "from the server: ", shape(socket.server)), example(socket.serverExample));
  }
  detail.append(make("h3", "", "Answers"));
  const answers = Object.entries(item.responses).map(([status, answer]) => [status, resolved(answer)]);
  const good = answers.filter(([status]) => status < "400");
  for (const [status, answer] of good) {
    detail.append(make("p", "", code(status), ` ${answer.description}`), ...contents(answer.content).filter(Boolean));
  }
  const bad = answers.filter(([status]) => status >= "400");
  if (bad.length) {
    detail.append(table(["status", "meaning", "shape"], bad.map(([status, answer]) => [
      code(status), answer.description, make("span", "", ...Object.values(answer.content ?? {}).map((one) => shape(one.schema))),
    ])));
  }
}

function schemaBox(name, schema) {
  const summary = make("summary", "", make("span", "path", name), make("span", "line", schema.description ?? words(schema)));
  const box = make("details", "operation", summary);
  box.id = `shape-${name}`;
  box.addEventListener("toggle", () => {
    if (!box.open || box.childElementCount > 1) return;
    const detail = make("div", "detail");
    const required = new Set(schema.required ?? []);
    const members = Object.entries(schema.properties ?? {});
    if (members.length) {
      detail.append(table(["member", "value", "limits", "meaning"], members.map(([key, value]) => [
        make("span", "", code(key), required.has(key) ? " (required)" : ""), shape(value), limits(value), value.description ?? "",
      ])));
    }
    detail.append(make("pre", "", JSON.stringify(schema, null, 2)));
    box.append(detail);
  });
  return box;
}

function show() {
  $("about").textContent = api.info.description;
  const byTag = new Map(api.tags.map((tag) => [tag.name, []]));
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of methods) if (item[method]) byTag.get(item[method].tags[0])?.push(operation(path, method, item[method]));
  }
  for (const tag of api.tags) {
    const boxes = byTag.get(tag.name);
    if (!boxes.length) continue;
    const link = make("a", "", tag.name);
    link.href = `#group-${tag.name}`;
    $("groups").append(link);
    const title = make("h2", "", tag.name);
    title.id = `group-${tag.name}`;
    $("operations").append(make("section", "", title, make("p", "soft", tag.description), ...boxes));
  }
  $("schemas-title").hidden = false;
  for (const [name, schema] of Object.entries(api.components.schemas)) $("schemas").append(schemaBox(name, schema));
  find();
  open();
}

/** Shows the operations that have every word of the search. */
function find() {
  const wanted = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const section of $("operations").children) {
    let shown = 0;
    for (const box of section.querySelectorAll("details")) {
      box.hidden = !wanted.every((word) => box.dataset.text.includes(word));
      if (!box.hidden) shown += 1;
    }
    section.hidden = shown === 0;
    count += shown;
  }
  $("found").textContent = `${count} operations`;
}

/** Opens what the address names. */
function open() {
  const target = $(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target instanceof HTMLDetailsElement) target.open = true;
  target.scrollIntoView();
}

$("find").addEventListener("input", find);
window.addEventListener("hashchange", open);
try {
  const answer = await fetch("/openapi.json", { credentials: "omit" });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  api = await answer.json();
  show();
} catch (error) {
  $("problem").textContent = `The API document could not be read: ${error.message}.`;
  $("problem").hidden = false;
}
