"""Drives chat in the page in headless Chromium as a person would.

    chat_page.py URL KEY QUESTION EXPECTED [SLOW_QUESTION [SCREENSHOT_DIRECTORY]]

At 1280 pixels in light and at 390 in dark: asks QUESTION by keyboard, waits for an answer that has EXPECTED in it,
follows a citation to its record and finds the quoted words there. With a SLOW_QUESTION (one whose answer streams for
some seconds; `-` for none) it watches that answer grow, reloads in the middle, and checks that the page shows in the
end what the server has stored, once; asks it again and stops it with Esc. Then a conversation is opened from the list,
and another is deleted. Prints one JSON object a visit. Any surprise ends the program with exit code 1.
"""

import json
import os
import re
import sys
import urllib.request

from selenium.common.exceptions import ElementNotInteractableException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from page import TIMEOUT_SECONDS, browser, expect

ANSWER = "#messages > .answer:last-child"


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

    def ask_and_follow_a_citation(self, question, expected):
        self.ask(question)
        self.wait_for_end()
        answer = self.text(f"{ANSWER} .said")
        expect(expected in answer, f"{expected} is not in the answer: {answer}")
        expect(self.find("#question").get_attribute("value") == "", "the question is still in the box")
        expect(not self.shows("#chat-problem"), f"a problem is shown: {self.text('#chat-problem')}")
        self.picture("answer")
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
        self.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        self.wait("the record closes", lambda: not self.shows("#record"))
        expect(self.conversation() and self.all(ANSWER), "closing the record left the conversation")

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
        expect(plain(shown) == plain(stored), f"the page shows {shown!r}, the server has {stored!r}")

    def stop(self, question):
        self.ask(question)
        self.wait("the answer begins", lambda: len(self.text(f"{ANSWER} .said")) > 20)
        self.find("#question").send_keys(Keys.ESCAPE)
        self.wait_for_end()
        expect("You stopped this answer" in self.text(f"{ANSWER} .end"), "the page does not say that it was stopped")
        expect(plain(self.text(f"{ANSWER} .said")) == plain(self.stored_answer()["content"]),
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

    def check_page(self):
        expect(self.driver.execute_script("return Object.keys(localStorage).length") == 0,
               "something is in localStorage")
        overflow = self.driver.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
        expect(overflow <= 0, f"the page is {overflow} pixels too wide")
        # A violation of the content security policy would be here.
        errors = [entry["message"] for entry in self.driver.get_log("browser")]
        expect(not errors, f"the console says {errors}")


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
            visit.go_through_the_list()
            visit.check_page()
        finally:
            driver.quit()
        print(json.dumps({"event": "visited", "width": width, "theme": theme}), flush=True)
    print(json.dumps({"event": "done"}))


if __name__ == "__main__":
    main()
