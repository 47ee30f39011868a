// Chat: conversations, questions, and answers that stream. An answer belongs to the server: this page only follows
// it, and after a reload or a lost connection it follows on.

import { $, Refusal, call, followRun, icon, lastEvents, make, readKey, showProblem, visible } from "./api.js";
import { Turn, toEnd } from "./answer.js";

const root = "/api/v1/chat";
const messages = $("messages"), question = $("question"), problem = $("chat-problem"), status = $("chat-status");

let page = null; // What the page lends us: askForKey, address.
let shown = null; // The conversation that is shown: { id, title, stop, questions, unsure } or null.
let following = null; // The answer that is being made: { run, turn, stop }.
let isAsking = false; // A question is on its way to the server.
let listed = []; // The conversations of the list.
let quote = null; // The citation that was followed last.

/** What an answer needs of its surroundings. */
const forTurns = {
  address: (...ids) => page.address(...ids),
  placeOf: (citation) => page.placeOf(citation),
  onCite: (citation) => { quote = citation; },
  onAgain: (asked) => ask(asked.content, asked.parentId),
};

export const chat = {
  begin(lent) { page = lent; },
  setBases,
  /** Shows a conversation, or the beginning of a new one. */
  show(id) {
    if (!readKey()) return;
    if (shown && shown.id === id) return;
    leave();
    loadConversations();
    shown = { id, title: "", stop: new AbortController() };
    title("");
    question.value = sessionStorage.getItem(draftName()) ?? "";
    fitQuestion();
    if (id) openConversation(shown);
    else $("chat-empty").hidden = false;
  },
  hide() { openSide(false); },
  name: () => shown?.title || "Chat",
  /** For another key, which may be somebody else's: nothing of the old one stays. */
  forget() {
    leave();
    listed = [];
    showConversations();
    question.value = "";
    for (const name of Object.keys(sessionStorage)) if (name.startsWith(drafts)) sessionStorage.removeItem(name);
  },
  /** The citation that led to `record`, once. */
  takeQuote(record) {
    const taken = quote?.recordId === record ? quote : null;
    quote = null;
    return taken;
  },
};

function leave() {
  shown?.stop.abort();
  setFollowing(null);
  isAsking = false;
  shown = null;
  messages.replaceChildren();
  problem.hidden = true;
  say("");
  $("chat-empty").hidden = true;
}

function report(error) {
  if (error.name === "AbortError") return;
  if (error.status === 401) {
    leave();
    return page.askForKey("That key is not valid any more.");
  }
  showProblem(problem, error.status === 403
    ? new Refusal(403, { detail: "This key may not chat.", hint: "Its scopes lack the permission chat." }) : error);
}

function title(text) {
  if (shown) shown.title = text;
  $("chat-title").textContent = visible(text || "New chat");
  if (!$("chat-view").hidden) document.title = `${visible(text || "Chat")} · pyairtable-ai`;
}

// ---- Conversations ----

const pageLength = 50;

async function loadConversations(after) {
  try {
    const query = `?limit=${pageLength}${after ? `&after=${after}` : ""}`;
    const answer = await call(`${root}/conversations${query}`);
    const known = new Set(answer.conversations.map((each) => each.id));
    const others = listed.filter((each) => !known.has(each.id));
    // Older ones that were asked for stay in the list when the newest are read again.
    const hasOlder = !after && listed.length > pageLength;
    listed = after ? [...others, ...answer.conversations] : [...answer.conversations, ...(hasOlder ? others : [])];
    if (!hasOlder) $("more-conversations").hidden = !answer.after;
    showConversations();
  } catch (error) {
    report(error);
  }
}

function showConversations() {
  $("conversations").replaceChildren(...listed.map((each) => {
    const name = each.title || "Untitled";
    const remove = make("button", { type: "button", class: "quiet remove", "aria-label": `Delete ${name}` },
      icon("trash"));
    remove.addEventListener("click", () => askToDelete(each));
    const isShown = each.id === shown?.id;
    if (isShown) title(each.title);
    return make("li", {}, make("a", {
      href: `#/chat/${each.id}`, title: name, "aria-current": isShown ? "page" : undefined,
    }, name), remove);
  }));
}

function askToDelete(conversation) {
  const dialog = $("delete-dialog");
  $("delete-name").textContent = visible(conversation.title || "Untitled");
  dialog.returnValue = "";
  dialog.onclose = async () => {
    if (dialog.returnValue !== "delete") return;
    try {
      await call(`${root}/conversations/${conversation.id}`, { method: "DELETE" });
      listed = listed.filter((each) => each.id !== conversation.id);
      if (shown?.id === conversation.id) location.hash = "#/chat";
      await loadConversations();
    } catch (error) {
      report(error);
    }
  };
  dialog.showModal();
}

function openSide(isOpen) {
  $("side").classList.toggle("open", isOpen);
  $("veil").classList.toggle("open", isOpen);
  $("open-side").setAttribute("aria-expanded", String(isOpen));
  // It lies over the rest where there is no room beside it.
  for (const part of [document.querySelector(".bar"), document.querySelector(".talk")]) part.inert = isOpen;
  if (isOpen) $("new-chat").focus();
}

$("open-side").addEventListener("click", () => openSide(!$("side").classList.contains("open")));
for (const way of ["veil", "close-side"]) {
  $(way).addEventListener("click", () => {
    openSide(false);
    $("open-side").focus();
  });
}
$("more-conversations").addEventListener("click", () => loadConversations(listed.at(-1)?.id));
$("conversations").addEventListener("click", (event) => { if (event.target.closest("a")) openSide(false); });
$("new-chat").addEventListener("click", () => {
  openSide(false);
  if (location.hash === "#/chat") shown = null;
  location.hash = "#/chat";
  chat.show(null);
  question.focus();
});

const promise = $("chat-empty-text").textContent;

function setBases(bases) {
  const chosen = $("chat-base").value;
  $("chat-base").replaceChildren(make("option", { value: "" }, "All bases"),
    ...bases.map((base) => make("option", { value: base.id }, base.name)));
  $("chat-base").value = bases.some((base) => base.id === chosen) ? chosen : "";
  $("chat-base-label").hidden = bases.length < 2;
  $("chat-empty-text").textContent = bases.length > 0 ? promise
    : "There are no bases yet. Import one with pyairtable-ai import.";
}

// ---- One conversation ----

/**
 * Shows what was said, and follows the answer that is still being made.
 *
 * With `isAgain` only when there are questions that are not shown, as when they were asked in another tab; gives
 * whether there were.
 */
async function openConversation(mine, isAgain = false) {
  const signal = mine.stop.signal;
  try {
    const [conversation, answer] = await Promise.all([
      call(`${root}/conversations/${mine.id}`, { signal }),
      call(`${root}/conversations/${mine.id}/messages`, { signal }),
    ]);
    if (shown !== mine) return false;
    const asked = answer.messages.filter((message) => message.role === "user");
    if (isAgain && (asked.length === mine.questions || following || isAsking)) return false;
    mine.questions = asked.length;
    if (!isAgain) dropWhatWasSent(asked.at(-1)?.content);
    title(conversation.title);
    messages.replaceChildren();
    const path = newestPath(answer.messages);
    const turns = [];
    for (const message of path) {
      if (message.role === "user") turns.push({ question: message, runId: message.runId });
      else {
        const open = turns.at(-1);
        if (open && !open.answer) Object.assign(open, { answer: message, runId: message.runId ?? open.runId });
        else turns.push({ answer: message, runId: message.runId });
      }
    }
    const made = turns.map((each) => {
      if (each.question) messages.append(questionItem(each.question.content));
      const turn = new Turn(each.question, forTurns);
      messages.append(turn.item);
      return turn;
    });
    $("chat-empty").hidden = made.length > 0;
    // The last one is told by its events, with all that was done for it; of those before, the text is enough.
    turns.slice(0, -1).forEach((each, position) => made[position].settle(each, signal));
    const last = turns.at(-1);
    if (last?.runId) follow(last.runId, made.at(-1), mine);
    else if (last) made.at(-1).settle(last, signal);
    toEnd(true);
    return true;
  } catch (error) {
    if (shown !== mine || isAgain) return false; // What is shown is still right; it is only perhaps not all.
    report(error);
    if (error.status === 404) title("Not found");
    return false;
  }
}

// Somebody comes back to this tab, and may have asked in another one.
document.addEventListener("visibilitychange", () => {
  if (document.hidden || $("chat-view").hidden || !readKey() || !shown || following || isAsking) return;
  loadConversations();
  if (shown.questions !== undefined) openConversation(shown, true);
});

/** From the root to the newest message; what was answered twice shows the newest answer. */
function newestPath(all) {
  const byId = new Map(all.map((message) => [message.id, message]));
  const path = [];
  for (let message = all.at(-1); message; message = byId.get(message.parentId)) path.unshift(message);
  return path;
}

function questionItem(text) {
  return make("li", { class: "question" }, make("span", { class: "sr" }, "You: "), make("p", { dir: "auto" }, text));
}

// ---- Asking ----

const drafts = "pyairtable.draft.";
const draftName = (id = shown?.id) => drafts + (id ?? "new");

async function ask(text, parentId) {
  const mine = shown;
  if (!mine || isAsking || !text.trim()) return;
  if (following) return say("An answer is being made. Esc stops it.");
  problem.hidden = true;
  if (mine.unsure === text) {
    // The server was lost while it was told: it may have the question.
    mine.unsure = null;
    if (await openConversation(mine, true)) return dropWhatWasSent(text, text);
    if (shown !== mine || isAsking || following) return;
  }
  isAsking = true;
  $("chat-empty").hidden = true;
  const asked = questionItem(text);
  const turn = new Turn({ content: text, parentId }, forTurns);
  messages.append(asked, turn.item);
  toEnd(true);
  showWork();
  try {
    if (!mine.id) {
      const made = await call(`${root}/conversations`, { body: {}, signal: mine.stop.signal });
      mine.id = made.id;
      sessionStorage.setItem(draftName(made.id), text);
      sessionStorage.removeItem(draftName(null));
      history.replaceState(null, "", `#/chat/${made.id}`);
    }
    const body = { content: text };
    if (parentId) body.parentId = parentId;
    if ($("chat-base").value) body.settings = { bases: [$("chat-base").value] };
    sessionStorage.setItem(sending, text);
    const sent = await call(`${root}/conversations/${mine.id}/messages`, { body, signal: mine.stop.signal });
    sessionStorage.removeItem(sending);
    isAsking = false;
    if (shown !== mine) return;
    mine.questions = (mine.questions ?? 0) + 1;
    if (question.value === text) question.value = "";
    keepDraft();
    fitQuestion();
    follow(sent.runId, turn, mine);
    loadConversations();
  } catch (error) {
    if (shown !== mine) return;
    isAsking = false;
    sessionStorage.removeItem(sending);
    if (error.status === 0 && mine.id) mine.unsure = text;
    mine.questions ??= 0;
    asked.remove();
    turn.item.remove();
    if (!question.value) question.value = text;
    keepDraft();
    fitQuestion();
    $("chat-empty").hidden = messages.children.length > 0;
    showWork();
    report(error);
  }
}

/** Shows a run's events in `turn`, from the first to the last, each once. */
async function follow(run, turn, mine) {
  const stop = new AbortController();
  mine.stop.signal.addEventListener("abort", () => stop.abort(), { once: true });
  const own = { run, turn, stop };
  setFollowing(own);
  try {
    await followRun(run, {
      signal: stop.signal,
      onEvent: (event) => {
        turn.take(event);
        if (lastEvents.has(event.type) && following === own) announce(turn.said());
      },
      onGap: (isLost) => say(isLost ? "The connection was lost. Trying again…" : ""),
    });
    if (!turn.isOver) await turn.settle({ runId: run }, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return;
    turn.end({ endReason: "unknown" });
    report(error);
  } finally {
    if (following === own) {
      say("");
      setFollowing(null);
      if (!shown?.title) loadConversations();
    }
  }
}

function setFollowing(next) {
  following = next;
  showWork();
}

/** While an answer is made the button stops it; otherwise it sends. */
function showWork() {
  const isBusy = isAsking || Boolean(following);
  const hadFocus = document.activeElement === $("send") || document.activeElement === $("stop");
  $("send").hidden = isBusy;
  $("stop").hidden = !isBusy;
  $("stop").disabled = !following || Boolean(following.isStopping);
  $("log").setAttribute("aria-busy", String(isBusy));
  if (hadFocus) question.focus();
}

async function stopAnswer() {
  const own = following;
  if (!own || own.isStopping) return;
  own.isStopping = true;
  showWork();
  say("Stopping…");
  try {
    await call(`${root}/runs/${own.run}/cancel`, { method: "POST" });
  } catch (error) {
    own.isStopping = false;
    if (following !== own) return;
    showWork();
    say("");
    report(error);
  }
}

function say(text) { status.textContent = text; }

function announce(text) { $("announcer").textContent = text; }

// ---- The question ----

/** What is being sent while the page is left. */
const sending = "pyairtable.sending";

/** The page was left while a question was sent: if it is the newest of the conversation, it is no draft any more. */
function dropWhatWasSent(newest, sent = sessionStorage.getItem(sending)) {
  sessionStorage.removeItem(sending);
  if (sent === null || sent !== newest || question.value !== sent) return;
  question.value = "";
  keepDraft();
  fitQuestion();
}

function keepDraft() {
  if (question.value) sessionStorage.setItem(draftName(), question.value);
  else sessionStorage.removeItem(draftName());
}

function fitQuestion() {
  question.style.height = "auto";
  question.style.height = `${Math.min(question.scrollHeight, 200)}px`;
}

question.addEventListener("input", () => {
  keepDraft();
  fitQuestion();
});
question.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  ask(question.value);
});
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  ask(question.value);
});
$("stop").addEventListener("click", stopAnswer);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || $("chat-view").hidden || document.querySelector("dialog[open]")) return;
  if ($("side").classList.contains("open")) {
    openSide(false);
    $("open-side").focus();
  } else if (following) stopAnswer();
});
