"""What a screen reader says of a page: from Chromium's tree of accessibility, in the order in which it is read."""

import re
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page

#: Roles that are said with their name, which has the texts of what is in them.
_SAID = {
    "button": "button",
    "combobox": "list",
    "DisclosureTriangle": "button",
    "heading": "heading",
    "image": "picture",
    "link": "link",
    "spinbutton": "number",
    "textbox": "text field",
}
#: Roles that are said before what is in them, if they have a name.
_FRAMES = {"region": "region", "group": "group", "alert": "alert", "status": "status"}
_CELLS = {"cell", "gridcell", "columnheader", "rowheader"}
#: What differs each time: moments, durations, sizes in bytes, ids.
_CHANGING = [
    (re.compile(r"\b\d+ (s|min)\b"), r"… \1"),
    (re.compile(r"\b\d+ \w+, \d\d:\d\d\b"), "…"),
    (re.compile(r"\b\d\d:\d\d\b"), "…"),
]
#: Tells `said` what is said without having been asked for, and `focused` where the focus goes.
LISTENING = """
    const LIVE = "[role=status], [role=alert]";
    const known = new Map();
    const hear = (region) => {
      const text = region.checkVisibility() ? region.textContent.trim() : "";
      // What a region has when it comes is said of an alert alone.
      const isSaid = known.has(region) || region.getAttribute("role") === "alert";
      if (text && isSaid && known.get(region) !== text) window.said(text);
      known.set(region, text);
    };
    const all = () => document.querySelectorAll(LIVE).forEach(hear);
    const whatever = { childList: true, subtree: true, characterData: true, attributes: true };
    new MutationObserver(all).observe(document, whatever);
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
    if role in _SAID:
        yield _said(node)
    elif role == "StaticText":
        yield name
    elif role == "row":
        yield " | ".join(" ".join(_texts(cell, nodes)) for cell in _cells(node, nodes))
    elif role == "paragraph":
        yield "".join(_texts(node, nodes))
    elif role != "LabelText":  # what it labels is called by it
        if role in _FRAMES and name:
            yield f"[{_FRAMES[role]}: {name}]"
        for child in _children(node, nodes):
            yield from _lines(child, nodes)


def _said(node: dict[str, Any]) -> str:
    """What it is, its name, its value, and its states."""
    level, value = _state(node, "level"), _value(node, "value")
    states = [state for state in ("pressed", "invalid", "disabled") if _state(node, state) in (True, "true")]
    if (expanded := _state(node, "expanded")) is not None and _value(node, "role") != "combobox":
        states.append("expanded" if expanded else "collapsed")
    states += filter(None, [_value(node, "description")])
    in_words = ", ".join(states)
    return (
        f"{_SAID[_value(node, 'role')]}{f' {level}' if level else ''}: {_value(node, 'name')}"
        f"{f' = {value}' if value else ''}{f' ({in_words})' if in_words else ''}"
    )


def _children(node: dict[str, Any], nodes: dict[str, Any]) -> list[dict[str, Any]]:
    return [nodes[child] for child in node.get("childIds", ()) if child in nodes]


def _cells(row: dict[str, Any], nodes: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for child in _children(row, nodes):
        if _value(child, "role") in _CELLS and not child.get("ignored"):
            yield child
        else:
            yield from _cells(child, nodes)


def _texts(node: dict[str, Any], nodes: dict[str, Any]) -> Iterator[str]:
    """The texts in a node, with the controls among them."""
    for child in _children(node, nodes):
        role = "" if child.get("ignored") else _value(child, "role")
        if role == "StaticText":
            yield _value(child, "name")
        elif role in _SAID:
            yield _said(child)
        elif role != "InlineTextBox":
            yield from _texts(child, nodes)
