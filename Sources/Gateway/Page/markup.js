// Answers as they stream: paragraphs, headings, lists, tables, quotations, code, bold, citations. Built node by node;
// no markup is parsed, and what looks like a link or a picture stays text.

import { make } from "./api.js";

/**
 * Shows `text` in `place`, and touches only the blocks that changed since the last time.
 *
 * `cite(marker)` gives the element for a marker such as `[1]`, or null for what is none; `version` changes when it
 * would answer otherwise.
 */
export function render(place, text, cite, version) {
  const blocks = split(text);
  blocks.forEach((block, position) => {
    const source = `${version}|${block.kind}|${JSON.stringify(block.lines)}`;
    const old = place.children[position];
    if (old && sources.get(old) === source) return;
    const made = element(block, cite, 0);
    sources.set(made, source);
    if (old) old.replaceWith(made);
    else place.append(made);
  });
  while (place.children.length > blocks.length) place.lastElementChild.remove();
}

const sources = new WeakMap();

const heading = /^#{1,6}\s+(.*)$/;
const item = /^(\s*)(?:[-*+•]|(\d{1,3})[.)])\s+(.*)$/;
const rule = /^\s*([-*_])(?:\s*\1){2,}\s*$/;
const row = /^\s*\|/;
const quoted = /^\s*>\s?(.*)$/;

/** The text as blocks; the last one may still grow. A list's lines are its items, with their indentation. */
function split(text) {
  const blocks = [];
  let open = null;
  const begin = (kind, lines) => blocks.push((open = { kind, lines }));
  const go = (kind, line) => (open?.kind === kind ? open.lines.push(line) : begin(kind, [line]));
  for (const line of text.split("\n")) {
    let match;
    if (open?.kind === "code") {
      if (/^\s*```\s*$/.test(line)) open = null;
      else open.lines.push(line);
    } else if (/^\s*```/.test(line)) begin("code", []);
    else if (line.trim() === "") {
      if (open?.kind === "list") open.isLoose = true;
      else open = null;
    } else if ((match = line.match(heading))) {
      begin("heading", [match[1]]);
      open = null;
    } else if (rule.test(line)) {
      begin("rule", []);
      open = null;
    } else if ((match = line.match(item))) {
      // Deeper than this nothing is told apart any more.
      const one = { indent: Math.min(match[1].length, 12), start: match[2], text: match[3] };
      const first = open?.kind === "list" ? open.lines[0] : null;
      const isNested = first && one.indent > first.indent + 1;
      if (isNested || (first && Boolean(first.start) === Boolean(one.start))) open.lines.push(one);
      else begin("list", [one]);
      open.isLoose = false;
    } else if ((match = line.match(quoted))) go("quote", match[1]);
    else if (row.test(line)) go("table", line);
    else if (open?.kind === "list" && !open.isLoose) open.lines.at(-1).text += ` ${line.trim()}`;
    else go("paragraph", line);
  }
  return blocks;
}

function element(block, cite, depth) {
  const { kind, lines } = block;
  switch (kind) {
    case "code": return make("pre", { tabindex: "0" }, make("code", {}, lines.join("\n")));
    case "heading": return make("p", { class: "heading", dir: "auto" }, ...inline(lines[0], cite));
    case "rule": return make("hr");
    case "list": return lists(lines, cite)[0];
    case "table": return table(lines, cite) ?? paragraph(lines, cite);
    case "quote": {
      const inner = lines.join("\n");
      return make("blockquote", {}, ...(depth < 3 ? split(inner).map((each) => element(each, cite, depth + 1))
        : [paragraph([inner], cite)]));
    }
    default: return paragraph(lines, cite);
  }
}

const paragraph = (lines, cite) => make("p", { dir: "auto" }, ...inline(lines.join("\n"), cite));

/** Items of the same depth and kind are one list; deeper ones belong to the item before them. */
function lists(items, cite) {
  const made = [];
  for (let position = 0; position < items.length;) {
    const { indent, start, text } = items[position];
    position += 1;
    const inner = [];
    while (items[position]?.indent > indent + 1) inner.push(items[position++]);
    const tag = start === undefined ? "UL" : "OL";
    if (made.at(-1)?.tagName !== tag) made.push(make(tag, { start, dir: "auto" }));
    made.at(-1).append(make("li", {}, ...inline(text, cite), ...lists(inner, cite)));
  }
  return made;
}

/** Null for lines that are no table after all. The first line shows as one before the second has come. */
function table(lines, cite) {
  if (lines.length > 1 && !/^[\s:|-]*$/.test(lines[1])) return null;
  const [head, rules = [], ...rows] = lines.map(cells);
  const looks = rules.map((each) => (/^:-*:$/.test(each) ? "center" : each.endsWith(":") ? "right" : undefined));
  const line = (tag, texts) => make("tr", {}, ...texts.map((text, column) =>
    make(tag, { class: looks[column], dir: "auto", scope: tag === "th" ? "col" : undefined }, ...inline(text, cite))));
  return make("div", { class: "grid", tabindex: "0", role: "region", "aria-label": "Table" }, make("table", {},
    make("thead", {}, line("th", head)), make("tbody", {}, ...rows.map((texts) => line("td", texts)))));
}

const cells = (line) => line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "").split(/(?<!\\)\|/)
  .map((text) => text.trim().replaceAll("\\|", "|"));

const marks = new RegExp([
  /`([^`\n]+)`/, /\*\*([^\s*](?:[^*]*[^\s*])?)\*\*/, /(?<![\w*])\*([^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])/,
  /(?<![\p{L}\p{N}_])_([^\s_](?:[^_\n]*[^\s_])?)_(?![\p{L}\p{N}_])/, /~~([^\s~](?:[^~\n]*[^\s~])?)~~/,
  /\[[^\[\]\s]{1,12}\]/,
].map((each) => each.source).join("|"), "gu");

const tags = ["code", "strong", "em", "em", "s"];

/** Code, bold, emphasis and citations inside a line. What is not closed stays as it is written. */
function inline(text, cite) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(marks)) {
    const kind = match.slice(1).findIndex((each) => each !== undefined);
    const inner = match[kind + 1];
    const made = kind < 0 ? cite(match[0]) : make(tags[kind], {}, ...(kind === 0 ? [inner] : inline(inner, cite)));
    if (!made) continue;
    parts.push(text.slice(end, match.index), made);
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== "");
}
