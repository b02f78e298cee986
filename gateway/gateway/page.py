"""Pages of the gateway's own, in the look of the other pages as far as somebody has told it."""

from collections.abc import Mapping
from html import escape

from aiohttp import web

from gateway.problems import Problem


def is_wanted(request: web.BaseRequest) -> bool:
    """Whether a browser asks, to show what comes: programs and scripts name no HTML."""
    accepted = request.headers.get("Accept", "").lower()
    return "text/html" in accepted and "json" not in accepted


def whole_page(title: str, main: str, look: Mapping[str, str], *, is_shown_without: bool = False) -> str:
    """`main` is HTML. `look` has paths by what they are for the page (`stylesheet`, `icon`).

    A browser shows nothing below a link to styles until they are here. With `is_shown_without`, the links stand last.
    """
    links = "".join(f'<link rel="{name}" href="{escape(path)}">\n' for name, path in look.items())
    mark = f'<img src="{escape(look["icon"])}" width="24" height="24" alt="">' if "icon" in look else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
{"" if is_shown_without else links}</head>
<body>
<header><div class="wide"><a class="mark" href="/">{mark}Postcodes</a></div></header>
<main class="wide"><div class="plain">
{main}
</div></main>
{links if is_shown_without else ""}</body>
</html>
"""


def page_of(problem: Problem, request: web.BaseRequest, request_id: str, look: Mapping[str, str]) -> web.Response:
    """The problem as a page that leads on."""
    told = problem.body
    is_ours = problem.status >= 500
    # What was sent is not sent again by following a link.
    is_tried_again = request.method == "GET" and (is_ours or "Retry-After" in problem.headers)
    ways = [("", "Try again")] * is_tried_again + [("/", "Your uploads")] + [("/status/", "Status")] * is_ours
    kinds = ("button primary", "button", "button quiet")
    buttons = "".join(
        f'<a class="{kind}" href="{path}">{word}</a>' for (path, word), kind in zip(ways, kinds, strict=False)
    )
    request_id = f"""<p class="hint block">If it happens again, tell whoever runs this server the request:
<code>{escape(request_id)}</code></p>"""
    main = f"""<p class="number-of-problem">{problem.status}</p>
<h1>{escape(str(told["title"]))}</h1>
<p class="lead">{escape(str(told["detail"]))}</p>
<p class="buttons block">{buttons}</p>
{request_id if is_ours else ""}"""
    # What did not answer may be what has the styles.
    return problem.answer(whole_page(str(told["title"]), main, look, is_shown_without=problem.status >= 500))
