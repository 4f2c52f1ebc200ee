"""The page: opened offline in a real browser, with data that would like to be code."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

from datavc.core.errors import FormatError
from datavc.metrics import page, plots, png, renderer, templates
from datavc.metrics.page import Picture, Section
from datavc.metrics.points import Points

HOSTILE = (
    "</script><script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"
    "<!--<script>\u2028&lt;'\"</title></style>"
)
PICTURE = Picture(HOSTILE, ".png", png.encode(memoryview(bytes(12)).cast("B", (2, 2, 3))))
SVG = Picture(
    "v1", ".svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
)


def chart(template: str, name: str) -> Section:
    rows = [{"x": i, "y": i * i, HOSTILE: HOSTILE} for i in range(5)]
    points = Points(rows, "x", "y", "x", name)
    sides = [("workspace", points), (HOSTILE, points)]
    return Section(name, plots.chart(sides, name, templates.built_in(template)).spec)


SECTIONS = [
    chart("linear", "loss"),
    chart("smooth", HOSTILE),
    Section("pictures", pictures=[PICTURE, SVG]),
]


OURS = {
    *("html", "html lang", "head", "meta", "meta charset", "meta http-equiv", "meta content"),
    *("title", "style", "body", "section", "h2", "p", "p class", "div", "div id"),
    *("script", "script type", "script data-chart", "figure", "figcaption"),
    *("img", "img alt", "img src", "table", "tr", "th", "td", "details", "summary", "pre"),
}
"""The tags and attributes that a page is made of."""


class Tags(HTMLParser):
    """Collects tags with the attributes that they have, as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {tag, *(f"{tag} {name}" for name, _ in attrs)}


def tags(text: str) -> set[str]:
    parser = Tags()
    parser.feed(text)
    return parser.seen


def test_no_text_of_the_data_is_markup() -> None:
    for library in ("window.vegaEmbed = 1", None):
        text = page.render(SECTIONS, library)

        assert HOSTILE not in text
        assert tags(text) <= OURS
        assert "\u2028" not in "".join(re.findall("<script.*?</script>", text, re.DOTALL))


def test_the_page_may_load_nothing_and_run_only_its_own_scripts() -> None:
    text = page.render(SECTIONS, "window.vegaEmbed = 1")

    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    assert len(re.findall("'sha256-", policy[1])) == 2
    assert "unsafe-eval" not in policy[1]


def test_without_the_renderer_the_page_has_data_specification_and_what_is_missing() -> None:
    text = page.render(SECTIONS, None)

    assert "pip install &#x27;datavc[plots]&#x27;" in text
    assert "<td>16</td>" in text
    assert "Vega-Lite specification" in text
    assert text.count("data:image/png;base64,") == 1
    assert "<script" not in text


def test_a_page_of_the_user_gets_the_plots_where_it_wants_them() -> None:
    own = "<html><head>{scripts}</head><body><h1>Mine {x}</h1>{plot_divs}</body></html>"

    text = page.render([Section("{scripts}", pictures=[PICTURE])], "lib()", own)

    assert text.startswith("<html><head><script>lib()</script>")
    assert "<h1>Mine {x}</h1><section><h2>{scripts}</h2>" in text
    with pytest.raises(FormatError, match=re.escape("{plot_divs}")):
        page.render([], None, "<html></html>")


def browse(file: Path) -> str:
    """Return the document after its scripts ran in a browser that reaches no network."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    with tempfile.TemporaryDirectory() as home:  # pytest's are too long for a socket's name
        done = subprocess.run(
            [
                *(chromium, "--headless", "--no-sandbox", "--disable-gpu"),
                *("--disable-dev-shm-usage", "--disable-background-networking"),
                *("--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9"),
                *(f"--user-data-dir={home}/profile", "--virtual-time-budget=5000"),
                *("--dump-dom", file.as_uri()),
            ],
            capture_output=True,
            env={"HOME": home, "PATH": "/usr/bin:/bin", "TMPDIR": home},
            timeout=120,
            check=True,
        )
    return done.stdout.decode()


@pytest.mark.skipif(not renderer.is_installed(), reason="the extra `plots` is not installed")
def test_a_browser_without_network_draws_the_charts_and_runs_nothing_of_the_data(
    tmp_path: Path,
) -> None:
    file = tmp_path / "index.html"
    file.write_text(page.render(SECTIONS, renderer.library(str(tmp_path))))

    document = browse(file)

    assert "<title>Plots</title>" in document
    assert len(re.findall(r'<svg[^>]*class="marks"', document)) == 2
    assert len(re.findall(r"<path[^>]*stroke=\"#4c6ef5\"", document)) >= 2
    assert document.count("<figcaption>") == 2


def test_a_browser_runs_nothing_of_a_page_without_renderer(tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    file.write_text(page.render(SECTIONS, None))

    document = browse(file)

    assert "<title>Plots</title>" in document
    assert "pip install 'datavc[plots]'" in document
