"""What a screen reader says of a page: from Chromium's tree of accessibility, in the order in which it is read."""

import re
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page

#: Roles that are said with their name, which has the texts of what is in them.
_SAID = {
    "button": "button",
    "combobox": "list to choose from",
    "DisclosureTriangle": "button",
    "heading": "heading",
    "image": "picture",
    "img": "picture",
    "link": "link",
    "spinbutton": "number",
    "textbox": "text field",
}
#: Roles that are said before what is in them, if they have a name.
_FRAMES = {"region": "region", "form": "form", "navigation": "navigation", "alert": "alert", "status": "status", "list": "list"}
_CELLS = {"cell", "gridcell", "columnheader", "rowheader"}
#: What differs each time: moments, durations, sizes in bytes, ids.
_CHANGING = [
    (re.compile(r"\b\d+ (s|min)\b"), r"… \1"),
    (re.compile(r"\b\d+ \w+, \d\d:\d\d\b"), "…"),
    (re.compile(r"\b\d\d:\d\d\b"), "…"),
]
#: Tells Python what is said without having been asked for: texts of live regions, and where the focus goes.
LISTENING = """
    const LIVE = "[role=status], [role=alert], [aria-live]";
    const heard = new Map();
    const hear = (region) => {
      const text = region.textContent.trim();
      if (region.closest("[hidden]") || !region.checkVisibility() || heard.get(region) === text) return;
      // What a region has when it comes is said of an alert alone.
      if (heard.has(region) || region.role === "alert" || region.getAttribute("role") === "alert") window.said(text);
      heard.set(region, text);
    };
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const region = (target.closest ? target : target.parentElement)?.closest(LIVE);
        if (region) hear(region);
      }
      document.querySelectorAll(LIVE).forEach(hear);
    }).observe(document, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["hidden"] });
    addEventListener("focusin", ({ target }) => window.focused(target.textContent.trim()));
"""


def unchanging(text: str) -> str:
    """Without what differs each time."""
    text = re.sub(r"\s+", " ", text)
    for pattern, instead in _CHANGING:
        text = pattern.sub(instead, text)
    return text


def read_aloud(page: Page) -> list[str]:
    """The content of the page between its header and its foot, a line for each thing that is said."""
    session = page.context.new_cdp_session(page)
    nodes = {node["nodeId"]: node for node in session.send("Accessibility.getFullAXTree")["nodes"]}
    session.detach()
    main = next(node for node in nodes.values() if _value(node, "role") == "main")
    return [unchanging(line) for line in _lines(main, nodes) if line.strip()]


def _value(node: dict[str, Any], name: str) -> str:
    return str(node.get(name, {}).get("value", ""))


def _state(node: dict[str, Any], name: str) -> Any:
    return next((one["value"].get("value") for one in node.get("properties", ()) if one["name"] == name), None)


def _lines(node: dict[str, Any], nodes: dict[str, Any]) -> Iterator[str]:
    role, name = ("", "") if node.get("ignored") else (_value(node, "role"), _value(node, "name"))
    children = [nodes[child] for child in node.get("childIds", ()) if child in nodes]
    if role == "StaticText":
        yield name
        return
    if role == "row":
        yield " | ".join(" ".join(_texts(cell, nodes)) for cell in _cells(node, nodes))
        return
    if role in _SAID:
        yield _said(node, role, name)
        if role in ("heading", "button", "link", "image", "img", "combobox", "textbox", "spinbutton", "DisclosureTriangle"):
            return
    elif role in _FRAMES and name:
        yield f"[{_FRAMES[role]}: {name}]"
    elif role == "paragraph":
        yield " ".join(_texts(node, nodes))
        return
    for child in children:
        yield from _lines(child, nodes)


def _said(node: dict[str, Any], role: str, name: str) -> str:
    parts = [_SAID[role] + (f" {level}" if (level := _state(node, "level")) else ""), name]
    text = ": ".join(parts)
    if value := _value(node, "value"):
        text += f" = {value}"
    states = [word for state, word in (("pressed", "pressed"), ("invalid", "invalid"), ("disabled", "disabled"))
              if _state(node, state) in (True, "true")]
    if _state(node, "expanded") is not None:
        states.append("expanded" if _state(node, "expanded") else "collapsed")
    if description := _value(node, "description"):
        states.append(description)
    return f"{text} ({', '.join(states)})" if states else text


def _cells(row: dict[str, Any], nodes: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for child in (nodes[child] for child in row.get("childIds", ()) if child in nodes):
        if _value(child, "role") in _CELLS and not child.get("ignored"):
            yield child
        else:
            yield from _cells(child, nodes)


def _texts(node: dict[str, Any], nodes: dict[str, Any]) -> Iterator[str]:
    """The texts in a node, with the controls among them."""
    for child in (nodes[child] for child in node.get("childIds", ()) if child in nodes):
        role = "" if child.get("ignored") else _value(child, "role")
        if role == "StaticText":
            yield _value(child, "name")
        elif role in _SAID:
            yield _said(child, role, _value(child, "name"))
        elif role != "InlineTextBox":
            yield from _texts(child, nodes)
