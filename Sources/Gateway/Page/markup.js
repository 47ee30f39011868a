// Answers as they stream: paragraphs, headings, lists, code, bold, citations. Built node by node; no markup is parsed.

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
    const source = `${version}|${block.kind}|${block.lines.join("\n")}`;
    const old = place.children[position];
    if (old && sources.get(old) === source) return;
    const made = element(block, cite);
    sources.set(made, source);
    if (old) old.replaceWith(made);
    else place.append(made);
  });
  while (place.children.length > blocks.length) place.lastElementChild.remove();
}

const sources = new WeakMap();

/** The text as blocks; the last one may still grow. */
function split(text) {
  const blocks = [];
  let open = null;
  const begin = (kind, lines) => blocks.push((open = { kind, lines }));
  for (const line of text.split("\n")) {
    if (open?.kind === "code") {
      if (/^\s*```\s*$/.test(line)) open = null;
      else open.lines.push(line);
      continue;
    }
    const heading = line.match(/^#{1,6}\s+(.*)$/);
    const item = line.match(/^\s*(?:[-*•]|(\d{1,3})[.)])\s+(.*)$/);
    if (/^\s*```/.test(line)) begin("code", []);
    else if (line.trim() === "") {
      if (open?.kind !== "list" && open?.kind !== "numbers") open = null;
      else open.isLoose = true;
    } else if (heading) {
      begin("heading", [heading[1]]);
      open = null;
    } else if (item) {
      const kind = item[1] ? "numbers" : "list";
      if (open?.kind !== kind) {
        begin(kind, []);
        open.start = item[1];
      }
      open.isLoose = false;
      open.lines.push(item[2]);
    } else if ((open?.kind === "list" || open?.kind === "numbers") && !open.isLoose) {
      open.lines[open.lines.length - 1] += ` ${line.trim()}`;
    } else if (open?.kind === "paragraph") open.lines.push(line);
    else begin("paragraph", [line]);
  }
  return blocks;
}

function element(block, cite) {
  switch (block.kind) {
    case "code": return make("pre", { tabindex: "0" }, make("code", {}, block.lines.join("\n")));
    case "heading": return make("p", { class: "heading" }, ...inline(block.lines[0], cite));
    case "list": return make("ul", {}, ...block.lines.map((line) => make("li", {}, ...inline(line, cite))));
    case "numbers":
      return make("ol", { start: block.start }, ...block.lines.map((line) => make("li", {}, ...inline(line, cite))));
    default: return make("p", {}, ...inline(block.lines.join("\n"), cite));
  }
}

const marks = new RegExp([
  /`([^`\n]+)`/, /\*\*([^\s*](?:[^*]*[^\s*])?)\*\*/, /(?<![\w*])\*([^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])/,
  /\[[^\[\]\s]{1,12}\]/,
].map((each) => each.source).join("|"), "g");

/** Code, bold, emphasis and citations inside a line. What is not closed stays as it is written. */
function inline(text, cite) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(marks)) {
    let made;
    if (match[1] !== undefined) made = make("code", {}, match[1]);
    else if (match[2] !== undefined) made = make("strong", {}, ...inline(match[2], cite));
    else if (match[3] !== undefined) made = make("em", {}, ...inline(match[3], cite));
    else made = cite(match[0]);
    if (!made) continue;
    parts.push(text.slice(end, match.index), made);
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== "");
}
