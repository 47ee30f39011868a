"""Reads the API document's page in headless Chromium as a person would.

    docs_page.py URL [SCREENSHOT_DIRECTORY]

Checks that every operation of /openapi.json is on it, finds one by typing, opens it and a shape, by address too, wide and at
390 pixels, and that nothing was loaded from elsewhere or refused by the page's policy. Prints one JSON object.
"""

import json
import sys
import urllib.request

from page import browser, expect
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

METHODS = {"get", "post", "put", "patch", "delete"}


def visit(driver, url, api, picture):
    wait = WebDriverWait(driver, 60)
    operations = {item[method]["operationId"] for item in api["paths"].values() for method in METHODS & item.keys()}
    driver.get(url + "/docs")
    wait.until(lambda d: d.find_elements(By.CSS_SELECTOR, "#operations details"))
    shown = {box.get_attribute("id") for box in driver.find_elements(By.CSS_SELECTOR, "#operations details")}
    expect(shown == operations, f"missing {operations - shown}, too many {shown - operations}")
    shapes = {box.get_attribute("id") for box in driver.find_elements(By.CSS_SELECTOR, "#schemas details")}
    expect(shapes == {f"shape-{name}" for name in api["components"]["schemas"]}, "shapes differ")

    driver.find_element(By.ID, "find").send_keys("post search")
    visible = [box for box in driver.find_elements(By.CSS_SELECTOR, "#operations details") if box.is_displayed()]
    expect(0 < len(visible) < len(operations), "typing does not find")
    visible[0].find_element(By.TAG_NAME, "summary").click()
    detail = visible[0].find_element(By.CLASS_NAME, "detail")
    wait.until(lambda d: "Answers" in detail.text and "Body" in detail.text)
    driver.find_element(By.ID, "find").clear()

    # Every one can be opened, and says something.
    for box in driver.find_elements(By.CSS_SELECTOR, "#operations details"):
        driver.execute_script("arguments[0].open = true", box)
    wait.until(lambda d: all(d.execute_script(
        "return [...document.querySelectorAll('#operations .detail')].map(e => e.childElementCount)")))
    driver.get(url + "/docs#shape-Problem")
    driver.refresh()
    wait.until(lambda d: d.find_element(By.ID, "shape-Problem").get_attribute("open"))
    wait.until(lambda d: "requestId" in d.find_element(By.ID, "shape-Problem").text)
    width = driver.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    expect(width <= 0, f"the page is {width} pixels too wide")
    loaded = driver.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    expect(loaded and all(name.startswith(url + "/") for name in loaded), f"loaded {loaded}")
    problems = [entry for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    expect(not problems, f"the browser complained: {problems}")
    if picture:
        driver.save_screenshot(picture)
    return len(operations)


def main():
    url = sys.argv[1]
    with urllib.request.urlopen(url + "/openapi.json", timeout=60) as answer:
        api = json.load(answer)
    counts = []
    for width, height in ((1100, 800), (390, 844)):
        driver = browser(width, height)
        try:
            picture = f"{sys.argv[2]}/docs-{width}.png" if len(sys.argv) > 2 else None
            counts.append(visit(driver, url, api, picture))
        finally:
            driver.quit()
    print(json.dumps({"operations": counts[0]}))


if __name__ == "__main__":
    main()
