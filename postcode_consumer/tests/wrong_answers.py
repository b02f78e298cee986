"""What is done to the items of an answer, so that it is none."""

from typing import Any


def without_last(items: list[Any]) -> list[Any]:
    return items[:-1]


def with_one_more(items: list[Any]) -> list[Any]:
    return [*items, items[-1]]


def reordered(items: list[Any]) -> list[Any]:
    return items[::-1]


def wrong_echo(items: list[Any]) -> list[Any]:
    items[0]["query"]["latitude"] += 0.001
    return items
