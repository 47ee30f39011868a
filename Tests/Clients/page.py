"""Drives the page in headless Chromium as a person would.

    page.py URL KEY QUERY EXPECTED [SCREENSHOT_DIRECTORY]

Enters the key, searches, checks that EXPECTED is the first result's title, opens the record and closes it, all by
keyboard; then does the same at 390 pixels. Prints one JSON object. Any surprise ends the program with exit code 1.
"""

import json
import os
import shutil
import sys

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

TIMEOUT_SECONDS = 60


def browser(width, height):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-proxy-server",
                 "--disable-background-networking", "--disable-component-update", "--no-first-run",
                 f"--window-size={width},{height}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    driver.set_page_load_timeout(TIMEOUT_SECONDS)
    return driver


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


def visit(driver, url, key, query, expected, picture):
    wait = WebDriverWait(driver, TIMEOUT_SECONDS)
    driver.get(url)
    wait.until(lambda d: d.find_element(By.ID, "key-dialog").is_displayed())
    driver.find_element(By.ID, "key").send_keys("pat_live_wrong", Keys.ENTER)
    wait.until(lambda d: d.find_element(By.ID, "key-problem").is_displayed())
    field = driver.find_element(By.ID, "key")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(key, Keys.ENTER)
    wait.until(lambda d: not d.find_element(By.ID, "key-dialog").is_displayed())
    expect(driver.execute_script("return Object.keys(localStorage).length") == 0, "something is in localStorage")

    # "/" focuses the search box from anywhere.
    driver.execute_script("document.activeElement.blur()")
    driver.find_element(By.TAG_NAME, "body").send_keys("/")
    box = driver.switch_to.active_element
    expect(box.get_attribute("id") == "query", "the slash key does not focus the search box")
    box.send_keys(query, Keys.ENTER)
    wait.until(lambda d: d.find_elements(By.CSS_SELECTOR, "#results > li"))
    wait.until(lambda d: expected in d.find_element(By.CSS_SELECTOR, "#results > li").text)
    picture("results")

    driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    wait.until(lambda d: d.find_element(By.ID, "record").is_displayed())
    wait.until(lambda d: d.find_element(By.ID, "record-title").text == expected)
    expect(driver.find_elements(By.CSS_SELECTOR, "#record-fields dt"), "the record shows no field")
    picture("record")
    driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait.until(lambda d: not d.find_element(By.ID, "record").is_displayed())
    overflow = driver.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
    expect(overflow <= 0, f"the page is {overflow} pixels too wide")
    # The refused key is a 401, which Chromium logs; nothing else may be there (a CSP violation would be).
    errors = [entry["message"] for entry in driver.get_log("browser") if "401" not in entry["message"]]
    expect(not errors, f"the console says {errors}")


def main():
    url, key, query, expected = sys.argv[1:5]
    directory = sys.argv[5] if len(sys.argv) > 5 else None
    for width, height in ((1280, 900), (390, 844)):
        driver = browser(width, height)
        try:
            if width < 500:
                # A window has a least width of its own; a device has not.
                driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                       {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True})

            def picture(name):
                if directory:
                    driver.save_screenshot(os.path.join(directory, f"{name}-{width}.png"))

            visit(driver, url, key, query, expected, picture)
        finally:
            driver.quit()
    print(json.dumps({"event": "done"}))


if __name__ == "__main__":
    main()
