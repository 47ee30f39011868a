"""Drives chat in the page in headless Chromium as a person would.

    chat_page.py URL KEY QUESTION EXPECTED [SLOW_QUESTION [SCREENSHOT_DIRECTORY]]

At 1280 pixels in light and at 390 in dark: asks QUESTION by keyboard, waits for an answer that has EXPECTED in it,
follows a citation to its record and finds the quoted words there. With a SLOW_QUESTION (one whose answer streams for
some seconds; `-` for none) it watches that answer grow, reloads in the middle, and checks that the page shows in the
end what the server has stored, once; asks it again and stops it with Esc. A question that was asked elsewhere shows when
the tab is come back to. Then a conversation is opened from the list, and another is deleted. On the way it looks at
what every state of a page owes: room for fingers at 390 pixels, contrast, roles, no markup out of an answer. Prints one JSON object a visit. Any surprise ends the program with exit code 1.
"""

import json
import os
import re
import sys
import unicodedata
import urllib.request

from selenium.common.exceptions import ElementNotInteractableException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from page import TIMEOUT_SECONDS, browser, expect

ANSWER = "#messages > .answer:last-child"

# Texts whose contrast with what is behind them is less than 4.5 : 1 (WCAG 2.2, 1.4.3), disabled ones left out.
FAINT = """
const part = (color) => {
  const numbers = color.match(/[\\d.]+/g).map(Number);
  const [r, g, b, a = 1] = color.startsWith('color(') ? [...numbers.slice(0, 3).map((n) => n * 255), numbers[3]] : numbers;
  return [r, g, b, a];
};
const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a)];
const light = (color) => {
  const [r, g, b] = color.map((n) => (n /= 255) <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  if (!element) return [255, 255, 255];
  const color = part(getComputedStyle(element).backgroundColor);
  return color[3] === 1 ? color.slice(0, 3) : over(color, behind(element.parentElement));
};
const found = new Set();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  const box = element.getBoundingClientRect();
  if (!walker.currentNode.data.trim() || box.width < 2 || element.closest('.sr, :disabled')) continue;
  if (!element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
  const paper = behind(element);
  const [one, two] = [light(over(part(getComputedStyle(element).color), paper)), light(paper)];
  const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
  if (ratio < 4.5) found.add(`${element.className || element.tagName} ${ratio.toFixed(2)}`);
}
return [...found];
"""

# Controls that are smaller than a finger needs; a citation within a sentence reaches beyond what is drawn.
SMALL = """
return [...document.querySelectorAll('a:not(.cite), button, select, input, textarea')].filter((each) => {
  const box = each.getBoundingClientRect();
  return each.checkVisibility({visibilityProperty: true}) && box.width > 0 && box.right > 0
    && (box.width < 43.5 || box.height < 43.5);
}).map((each) => `${each.id || each.className || each.tagName} ${each.offsetWidth}x${each.offsetHeight}`);
"""


class Visit:
    def __init__(self, driver, url, key, picture):
        self.driver, self.url, self.key, self.picture = driver, url, key, picture
        self.waiting = WebDriverWait(driver, TIMEOUT_SECONDS, poll_frequency=0.05,
                                     ignored_exceptions=(StaleElementReferenceException,))

    def wait(self, what, condition):
        self.waiting.until(lambda _: condition(), what)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        found = self.all(selector)
        return found[0].text if found else ""

    def shows(self, selector):
        found = self.all(selector)
        return bool(found) and found[0].is_displayed()

    def api(self, path):
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.key}"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            return json.load(response)

    def conversation(self):
        return re.search(r"#/chat/(cnv\w{14})", self.driver.current_url).group(1)

    def stored_answer(self):
        messages = self.api(f"/api/v1/chat/conversations/{self.conversation()}/messages")["messages"]
        return [message for message in messages if message["role"] == "assistant"][-1]

    def ask(self, question):
        before = len(self.all("#messages > .answer"))
        box = self.find("#question")
        box.click()
        box.send_keys(question, Keys.ENTER)
        self.wait("the question is shown", lambda: len(self.all("#messages > .answer")) == before + 1)

    def wait_for_end(self):
        self.wait("the answer ends", lambda: self.shows("#send"))

    # ---- What a person does ----

    def enter(self):
        self.driver.get(f"{self.url}/#/chat")
        self.wait("the key is asked for", lambda: self.shows("#key-dialog"))
        self.find("#key").send_keys(self.key, Keys.ENTER)
        self.wait("the key is taken", lambda: not self.shows("#key-dialog"))
        self.wait("one can write at once", lambda: self.driver.switch_to.active_element.get_attribute("id") == "question")
        self.picture("empty")
        self.look()

    def ask_and_follow_a_citation(self, question, expected):
        self.ask(question)
        self.wait_for_end()
        answer = self.text(f"{ANSWER} .said")
        expect(expected in answer, f"{expected} is not in the answer: {answer}")
        expect(self.find("#question").get_attribute("value") == "", "the question is still in the box")
        expect(not self.shows("#chat-problem"), f"a problem is shown: {self.text('#chat-problem')}")
        self.wait("its sources say where they stand", lambda: all(
            place.text.strip() for place in self.all(f"{ANSWER} .sources .place")))
        self.picture("answer")
        self.look()
        cite = self.find(f"{ANSWER} .said .cite")
        quote = cite.get_attribute("title")
        citations = self.stored_answer()["citations"]
        expect(quote in [citation["quote"] for citation in citations], "the citation is not one of the server's")
        self.driver.execute_script("arguments[0].focus()", cite)
        cite.send_keys(Keys.ENTER)
        self.wait("the record opens", lambda: self.shows("#record") and self.text("#record-title") not in ("", "…"))
        shown = " ".join([self.text("#record-title"), self.text("#record-fields")])
        expect(all(word in shown for word in quote.split()), f"the record does not show {quote!r}: {shown}")
        self.wait("the place is marked", lambda: self.all("#record mark, #record .cited"))
        self.picture("record")
        self.look()
        self.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        self.wait("the record closes", lambda: not self.shows("#record"))
        expect(self.conversation() and self.all(ANSWER), "closing the record left the conversation")
        expect("/rec" not in self.driver.current_url, "the address still names the record")
        self.driver.forward()
        self.wait("forward opens it again", lambda: self.shows("#record"))
        self.driver.back()
        self.wait("back closes it", lambda: not self.shows("#record"))

    def watch_and_reload(self, question):
        self.ask(question)
        self.wait("the answer begins", lambda: len(self.text(f"{ANSWER} .said")) > 20)
        first = self.text(f"{ANSWER} .said")
        self.picture("streaming")
        self.wait("the answer grows", lambda: len(self.text(f"{ANSWER} .said")) > len(first))
        expect(self.shows("#stop"), "the answer was whole before it was seen to grow; ask for a longer one")
        before = self.text(f"{ANSWER} .said")
        answers = len(self.all("#messages > .answer"))
        self.find("#question").send_keys("half a thought")
        self.driver.refresh()
        self.wait("the answer is there again", lambda: len(self.text(f"{ANSWER} .said")) >= len(before))
        expect(self.shows("#stop"), "the answer ended before the page was back; ask for a longer one")
        expect(len(self.all("#messages > .answer")) == answers, "an answer is shown twice, or is lost")
        expect(self.find("#question").get_attribute("value") == "half a thought", "what was being written is lost")
        for _ in "half a thought":
            self.find("#question").send_keys(Keys.BACKSPACE)
        self.wait_for_end()
        stored = self.stored_answer()["content"]
        shown = self.text(f"{ANSWER} .said")
        expect(plain(shown) == plain(visible(stored)), f"the page shows {shown!r}, the server has {stored!r}")
        self.look()
        expect(not self.all("#messages :is(script, img, iframe, b, style, form, [onclick], [href^=javascript])"),
               "something in an answer was taken for markup")
        expect(not self.all(f"{ANSWER} .said :is(a:not(.cite), [src], [srcset], [style], [background], object, embed, link, base)"),
               "something in an answer leads away or is fetched")
        whole = self.driver.execute_script("return document.body.textContent")
        expect(not any(is_hidden(each) for each in whole), "something hides in what the page shows")
        expect("\\u{202E}" in shown and "\\u{E0041}" in shown, "what was hidden is not shown")
        expect(self.all(f"{ANSWER} .said table td.right"), "a table is not shown as one")
        expect(self.all(f"{ANSWER} .said li li"), "a list within a list is not shown as one")
        directions = self.driver.execute_script(
            f"return [...document.querySelectorAll('{ANSWER} .said > p')].map((each) => getComputedStyle(each).direction)")
        expect({"ltr", "rtl"} <= set(directions), f"no paragraph goes from right to left, or all do: {directions}")

    def look_away(self, question):
        """Asks as another tab would, and comes back to this one."""
        before = len(self.all("#messages > .answer"))
        request = urllib.request.Request(
            f"{self.url}/api/v1/chat/conversations/{self.conversation()}/messages",
            json.dumps({"content": question}).encode(),
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"})
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=TIMEOUT_SECONDS).close()
        expect(len(self.all("#messages > .answer")) == before, "the page shows what was not asked in it")
        self.driver.execute_script("document.dispatchEvent(new Event('visibilitychange'))")
        self.wait("what was asked elsewhere is shown", lambda: len(self.all("#messages > .answer")) == before + 1)
        self.wait_for_end()
        expect(plain(self.text(f"{ANSWER} .said")) == plain(visible(self.stored_answer()["content"])),
               "the page does not show the answer to what was asked elsewhere")

    def stop(self, question):
        self.ask(question)
        self.wait("the answer begins", lambda: len(self.text(f"{ANSWER} .said")) > 20)
        self.find("#question").send_keys(Keys.ESCAPE)
        self.wait_for_end()
        expect("You stopped this answer" in self.text(f"{ANSWER} .end"), "the page does not say that it was stopped")
        expect(plain(self.text(f"{ANSWER} .said")) == plain(visible(self.stored_answer()["content"])),
               "the page does not show what is stored of the stopped answer")
        self.picture("stopped")
        self.driver.refresh()
        self.wait("the end is known after a reload", lambda: "You stopped this answer" in self.text(f"{ANSWER} .end"))

    def go_through_the_list(self):
        first = self.conversation()
        self.open_list()
        self.find("#new-chat").click()
        self.wait("a new chat is shown", lambda: self.shows("#chat-empty") and not self.all("#messages > li"))
        self.open_list()
        self.picture("list")
        self.in_list(lambda: self.find(f'#conversations a[href="#/chat/{first}"]').click())
        self.wait("the conversation is shown", lambda: self.all("#messages > .answer"))

        def remove():
            button = self.find(f'#conversations li:has(a[href="#/chat/{first}"]) .remove')
            self.driver.execute_script("arguments[0].focus()", button)
            button.send_keys(Keys.ENTER)

        self.in_list(remove)
        self.wait("it is asked whether", lambda: self.shows("#delete-dialog"))
        self.find("#delete-dialog button[value=delete]").click()
        self.wait("it is gone", lambda: not self.all(f'#conversations a[href="#/chat/{first}"]'))

    def open_list(self):
        if self.shows("#open-side") and self.find("#open-side").get_attribute("aria-expanded") == "false":
            self.find("#open-side").click()
        self.wait("the list is shown", lambda: self.shows("#new-chat"))

    def in_list(self, act):
        """On a narrow screen the list may just be sliding away after the act before; it is then opened again."""
        def acted():
            self.open_list()
            try:
                act()
            except ElementNotInteractableException:
                return False
            return True

        self.wait("the list can be used", acted)

    def look(self):
        """What every state of the page owes."""
        faint = self.driver.execute_script(FAINT)
        expect(not faint, f"hard to read: {faint}")
        if self.driver.execute_script("return innerWidth") < 500:
            small = self.driver.execute_script(SMALL)
            expect(not small, f"too small for a finger: {small}")
        log = self.find("#log")
        expect(log.get_attribute("role") == "log" and log.get_attribute("aria-live") == "off"
               and self.find("#announcer").get_attribute("aria-live") == "polite",
               "an answer is read aloud while it grows, or not at all")
        expect(self.driver.execute_script("return document.querySelector('#messages').closest('[role=log]') !== null"
                                          " && !document.querySelector('#messages').hasAttribute('role')"),
               "the messages are no list in a log")

    def check_page(self):
        expect(self.driver.execute_script("return Object.keys(localStorage).length") == 0,
               "something is in localStorage")
        overflow = self.driver.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
        expect(overflow <= 0, f"the page is {overflow} pixels too wide")
        fetched = self.driver.execute_script(
            "return performance.getEntriesByType('resource').map((each) => each.name)")
        expect(fetched and all(each.startswith(self.url + "/") for each in fetched), f"the page fetched {fetched}")
        # A violation of the content security policy would be here.
        errors = [entry["message"] for entry in self.driver.get_log("browser")]
        expect(not errors, f"the console says {errors}")


def is_hidden(character):
    """Whether nobody would see it, or it would turn the order of others. Joiners and white space are left alone."""
    if character in "\t\n\r\u200c\u200d":
        return False
    code = ord(character)
    return (unicodedata.category(character) in ("Cc", "Cf", "Co", "Zl", "Zp") or 0xFE00 <= code <= 0xFE0D
            or 0xE0000 <= code <= 0xE0FFF or character in "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def visible(text):
    """As the page shows it."""
    return "".join(f"\\u{{{ord(each):X}}}" if is_hidden(each) else each for each in text)


def plain(text):
    """Letters and digits alone, without the numbers of list items, which a page draws and does not hold."""
    text = re.sub(r"^\s*\d{1,3}[.)]\s+", "", text, flags=re.MULTILINE)
    return re.sub(r"[\W_]+", "", text)


def main():
    url, key, question, expected = sys.argv[1:5]
    slow = sys.argv[5] if len(sys.argv) > 5 and sys.argv[5] != "-" else None
    directory = sys.argv[6] if len(sys.argv) > 6 else None
    for width, height, theme in ((1280, 900, "light"), (390, 844, "dark")):
        driver = browser(width, height)
        try:
            if width < 500:
                # A window has a least width of its own; a device has not.
                driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                       {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True})
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                   {"features": [{"name": "prefers-color-scheme", "value": theme}]})

            def picture(name):
                if directory:
                    driver.save_screenshot(os.path.join(directory, f"chat-{name}-{width}-{theme}.png"))

            visit = Visit(driver, url.rstrip("/"), key, picture)
            visit.enter()
            visit.ask_and_follow_a_citation(question, expected)
            if slow:
                visit.watch_and_reload(slow)
                visit.stop(slow)
            visit.look_away(question)
            visit.go_through_the_list()
            visit.check_page()
        finally:
            driver.quit()
        print(json.dumps({"event": "visited", "width": width, "theme": theme}), flush=True)
    print(json.dumps({"event": "done"}))


if __name__ == "__main__":
    main()
