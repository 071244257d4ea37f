"""The pictures of the README, small enough to be kept: made of what the browser tests saw.

TEMPLEOPS_LONG=1 python -m pytest tests/browser && python -m tests.browser.pictures
"""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "tests" / "output"
PICTURES = ROOT / "docs" / "pictures"
KEPT = {
    "home": "04-home-light-1280",
    "confirm": "07-confirm-light-1280",
    "running": "10-running-light-1280",
    "partial": "14-partial-light-1280",
    "viewer": "16-viewer-light-1280",
    "table": "16-table-light-1280",
    "phone": "04-home-dark-390",
}
TALLEST = 1700
"""Pixels. What stands lower is left out."""
TO_WEBP = """async ([png, tallest]) => {
  const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = document.createElement('canvas');
  canvas.width = picture.width;
  canvas.height = Math.min(picture.height, tallest);
  canvas.getContext('2d').drawImage(picture, 0, 0);
  return canvas.toDataURL('image/webp', 0.86).split(',')[1];
}"""


def write(page: Page, name: str, seen: Path) -> None:
    """Write one picture as WebP."""
    png = base64.b64encode(seen.read_bytes()).decode()
    target = PICTURES / f"{name}.webp"
    target.write_bytes(base64.b64decode(page.evaluate(TO_WEBP, [png, TALLEST])))
    print(f"{target.stat().st_size / 1024:6.0f} KB  {target.relative_to(ROOT)}")


def main() -> None:
    """Write every picture that is kept. A test that has not run has left none: then Python says which is missing."""
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        for name, seen in KEPT.items():
            write(page, name, OUTPUT / f"{seen}.png")
        browser.close()


if __name__ == "__main__":
    main()
