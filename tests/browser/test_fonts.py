"""On a machine without a font for any script of India, every letter is drawn by a font that we ship."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, Playwright

from tests.browser.checked_page import CheckedPage
from tests.browser.conftest import ARGUMENTS, CHROMIUM, RunningApp
from tests.browser.test_home import a_good_backup

WITHOUT_FONTS = Path(__file__).with_name("no_indian_fonts.conf")
NAMES = {
    "Devanagari": "रोहिणी शर्मा",
    "Bengali": "অনন্যা মুখার্জি",
    "Gujarati": "મીરા પટેલ",
    "Gurmukhi": "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ",
    "Kannada": "ಕಾವ್ಯ ರಾವ್",
    "Malayalam": "ലക്ഷ്മി നായർ",
    "Oriya": "ସୁଭଦ୍ରା ଦାସ",
    "Tamil": "மீனாட்சி",
    "Telugu": "వేంకటేశ్వర రావు",
}
# Marks every element that shows Indian letters itself; returns for each its mark, how many other signs stand there, and
# which of the scripts its fonts do not name.
INDIAN = r"\u0900-\u0D7F\u1CD0-\u1CFF\uA830-\uA839\uA8E0-\uA8FF"
MARK = f"""scripts => [...document.querySelectorAll('body *')].filter(e => e.checkVisibility()).map((e, n) => {{
    const own = [...e.childNodes].filter(c => c.nodeType === 3).map(c => c.data).join('');
    if (!/[{INDIAN}]/.test(own)) return null;
    e.dataset.mark = n;
    return {{mark: n, text: own.trim(), others: own.replace(/[{INDIAN}\\s]/g, '').length,
        spaces: (own.match(/\\s/g) || []).length}};
}}).filter(Boolean)"""
UNNAMED = """scripts => [...document.querySelectorAll('body, body *')].filter(e => e.checkVisibility()).filter(e => {
    const family = getComputedStyle(e).fontFamily;
    return !scripts.every(script => family.includes('Noto Sans ' + script));
}).map(e => e.outerHTML.slice(0, 120))"""


@pytest.fixture
def bare(running_app: RunningApp, playwright: Playwright) -> Iterator[Page]:
    """A browser on such a machine."""
    environment: dict[str, str | float | bool] = {**os.environ, "FONTCONFIG_FILE": str(WITHOUT_FONTS)}
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, env=environment)
    page = browser.new_page(base_url=running_app.address)
    yield page
    browser.close()


def boxes(page: Page, tools: CDPSession) -> list[str]:
    """Return the texts of which some Indian letter is drawn by a font of the machine, which has none for it."""
    page.evaluate("document.fonts.ready")
    marked = page.evaluate(MARK, list(NAMES))
    root = tools.send("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
    found = []
    for one in marked:
        selector = {"nodeId": root, "selector": f'[data-mark="{one["mark"]}"]'}
        node = tools.send("DOM.querySelector", selector)["nodeId"]
        fonts = tools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        ours = [font for font in fonts if font["isCustomFont"] and font["familyName"].startswith("Noto Sans")]
        by_machine = sum(font["glyphCount"] for font in fonts if not font["isCustomFont"])
        if not ours or by_machine > one["others"] + one["spaces"]:
            found.append(f"{one['text']}: {fonts}")
    assert marked, "the page shows no Indian letter at all"
    return found


def test_no_letter_is_a_box_without_indian_fonts_on_the_machine(bare: Page, running_app: RunningApp) -> None:
    people = [
        {"_id": number, "name": name, name: {script: [name]}} for number, (script, name) in enumerate(NAMES.items())
    ]
    for side in ("local", "remote"):
        running_app.database(side).names.insert_many([dict(one) for one in people])
    a_good_backup(running_app)
    for side in ("local", "remote"):
        running_app.database(side).names.update_many({}, [{"$set": {"name": {"$concat": ["$name", " ✓"]}}}])
    time.sleep(1.1)
    a_good_backup(running_app)
    b, a = (run["_id"] for run in running_app.database().backup_metadata.find(sort=[("_id", -1)]))
    tools = bare.context.new_cdp_session(bare)
    for domain in ("DOM", "CSS", "Network"):
        tools.send(f"{domain}.enable")
    tools.send("Network.setCacheDisabled", {"cacheDisabled": True})  # each page fetches its fonts again
    checked_page = CheckedPage(bare)
    checked_page.sign_in()
    base, where = "/admin/backups", f"backup={b}&collection=names"
    everywhere: dict[str, Any] = {
        **{view: f"{base}/browse/?{where}&view={view}" for view in ("cards", "json", "table", "fields")},
        "search": f"{base}/browse/?{where}&q={NAMES['Tamil']}",
        **{f"tree-{script}": f"{base}/{b}/document/?collection=names&number={n}" for n, script in enumerate(NAMES)},
        "compare": f"{base}/compare/?a={a}&b={b}&collection=names&kind=changed",
        "versions": f"{base}/versions/?{where}&number=7",
        "preferences": f"{base}/",
    }
    for name, address in everywhere.items():
        bare.goto(address)
        checked_page.wait_until_still()
        bare.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
        checked_page.wait_until_still()
        bare.screenshot(path=f"tests/output/fonts-{name}.png", full_page=True)
        assert boxes(bare, tools) == [], name
        assert bare.evaluate(UNNAMED, list(NAMES)) == [], f"{name}: a stack of fonts without ours"
