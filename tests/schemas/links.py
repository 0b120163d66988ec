"""Follows every link of a built book: links.py FOLDER DOCS. What leads out of the book leads to a file beside DOCS, where the
pages are written, or is a URL."""

import html.parser
import os
import pathlib
import sys
import urllib.parse

root, docs = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if attributes.get("id"):
            self.anchors.add(attributes["id"])
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])


pages = {path: Page(path.read_text(encoding="utf-8")) for path in root.rglob("*.html")}
wrong, followed = [], 0
for path, page in pages.items():
    if path.name in ("print.html", "404.html", "toc.html"):
        continue
    for link in page.links:
        url = urllib.parse.urlsplit(link)
        if url.scheme or url.netloc:
            continue
        followed += 1
        target = (path.parent / urllib.parse.unquote(url.path)).resolve() if url.path else path
        if target.is_dir():
            target /= "index.html"
        if not target.is_relative_to(root):
            # mdBook calls every page a page of the book.
            target = (docs / os.path.relpath(target, root)).resolve()
            target = target if target.exists() else target.with_suffix(".md")
        if not target.exists():
            wrong.append(f"{path.relative_to(root)}: {link} leads nowhere")
        elif url.fragment and target in pages and urllib.parse.unquote(url.fragment) not in pages[target].anchors:
            wrong.append(f"{path.relative_to(root)}: {link} has no such place")
print("\n".join(wrong) or f"book: {len(pages)} pages, {followed} links")
sys.exit(1 if wrong or not followed else 0)
