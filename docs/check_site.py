"""Check the built site in a browser: no page is too wide, and the search finds the guide.

``python docs/check_site.py docs/_build/html`` needs Chromium or Chrome, which it runs without a
window; where there is none it says so and succeeds. Each page is loaded in a frame as wide as the
screen of a phone; nothing may be wider, except inside boxes that scroll, such as code. Each query
is sent to the search page of the site; the first result must be one of the pages below.
"""

import argparse
import functools
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTH = 420  # pixels of the screen of a phone
QUERIES = {  # the pages that may come first
    "epochs": ["choosing", "faq"],
    "learning rate": ["choosing", "faq"],
    "early stopping": ["early_stopping"],
    "GPU": ["faq"],
    "custom activation": ["backpropagation", "extending", "faq"],
    "progress bar": ["early_stopping", "faq"],
    "predict_proba": ["faq"],
    "save": ["saving", "getting_started"],
    "TwoLayerClassifier": ["generated/sk_twolayer.TwoLayerClassifier"],
    "SGD": ["generated/sk_twolayer.optimizers.SGD"],
}
SECONDS = 600  # for all pages and queries
# Loads the pages in a frame one after the other, and sends the results to the server.
SCRIPT = """
<!doctype html><iframe id="frame" style="border:0;height:900px;width:%(width)dpx"></iframe>
<script>
const frame = document.getElementById("frame");
const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));
async function load(url) {
  await new Promise(resolve => { frame.onload = resolve; frame.src = url; });
  await pause(50);
  return frame.contentDocument;
}
function scrolls(element) {
  for (; !element.matches("article"); element = element.parentElement)
    if (["auto", "scroll"].includes(getComputedStyle(element).overflowX)) return true;
  return false;
}
function width(page) {  // of the page, or of its widest text where that is cut off
  const parts = [...page.querySelectorAll("article :is(p, dt, dd, li, table, pre, img, h1, h2)")]
    .filter(part => !scrolls(part.parentElement));
  const right = Math.max(0, ...parts.map(part => part.getBoundingClientRect().right));
  return Math.max(page.scrollingElement.scrollWidth, Math.ceil(right));
}
async function results(query) {
  const page = await load("/search.html?q=" + encodeURIComponent(query));
  for (let i = 0; i < 100 && !page.querySelector("#search-results .search-summary"); i++)
    await pause(50);
  let found = [];
  for (let i = 0, same = 0; i < 100 && same < 10; i++) {  // results are added one by one
    await pause(50);
    const links = [...page.querySelectorAll("#search-results ul.search > li > a")];
    same = links.length && links.length === found.length ? same + 1 : 0;
    found = links;
  }
  return found.slice(0, 5).map(link => link.getAttribute("href").split("?")[0]);
}
(async () => {
  const widths = {}, found = {};
  for (const page of %(pages)s)
    widths[page] = width(await load("/" + page));
  for (const query of %(queries)s)
    found[query] = await results(query);
  await fetch("/results", {method: "POST", body: JSON.stringify({widths, found})});
})();
</script>
"""


class Handler(SimpleHTTPRequestHandler):
    """Serves the site and the script, and receives the results."""

    script = ""
    results = None
    finished = threading.Event()

    def log_message(self, *arguments):
        """Print nothing."""

    def do_GET(self):
        """Send the script or a file of the site."""
        if self.path != "/check":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.script.encode())

    def do_POST(self):
        """Keep the results."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Handler.results = json.loads(body)
        self.send_response(204)
        self.end_headers()
        self.finished.set()


def look(site, browser):
    """Return the width of each page, and the first results of each query."""
    pages = sorted(str(path.relative_to(site)) for path in site.rglob("*.html"))
    pages = [page for page in pages if not page.startswith(("_static", "_modules"))]
    Handler.script = SCRIPT % {
        "width": WIDTH,
        "pages": json.dumps(pages),
        "queries": json.dumps(list(QUERIES)),
    }
    handler = functools.partial(Handler, directory=site)
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        tempfile.TemporaryDirectory() as profile,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/check"
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
        window = subprocess.Popen(
            [browser, *options, f"--user-data-dir={profile}", address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + SECONDS
            while not Handler.finished.wait(1):
                if window.poll() is not None:
                    sys.exit(f"{browser} ended with status {window.returncode}")
                if time.monotonic() > deadline:
                    sys.exit(f"the browser did not load all pages in {SECONDS} seconds")
        finally:
            window.terminate()
            window.wait()
            server.shutdown()
    return Handler.results["widths"], Handler.results["found"]


def main():
    """Check the site, print what was found, and fail if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("site", type=Path)
    arguments = parser.parse_args()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("no Chromium or Chrome: widths of pages and searches were not checked")
        return
    widths, found = look(arguments.site.resolve(), browser)
    wide = {page: width for page, width in widths.items() if width > WIDTH}
    print(f"{len(widths)} pages at {WIDTH} pixels, {len(wide)} of them wider: {wide}")
    wrong = [
        query
        for query, pages in QUERIES.items()
        if not found[query] or found[query][0].split(".html")[0] not in pages
    ]
    for query, results in found.items():
        print(f"{'wrong' if query in wrong else 'right'}  {query}: {', '.join(results)}")
    if wide or wrong:
        sys.exit("the site is not as it should be")


if __name__ == "__main__":
    main()
