"""Charts as SVG, made here: no script, and no style but that of a file, as the Content-Security-Policy wants it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_ROW = 22
_LABEL, _BAR = 270, 360
_HEIGHT, _COLUMN = 120, 5
_LEFT, _BOTTOM = 4, 18
_MINUTES_OF_A_LABEL = 180


def bars(title: str, values: Sequence[tuple[str, int, str]]) -> SafeString:
    """Horizontal bars: label, value, and the class that colours it. Empty when there is nothing to show."""
    if not any(value for _, value, _ in values):
        return SafeString("")
    most = max(value for _, value, _ in values)
    lines = [
        (
            _row * _ROW + 15,
            label,
            _LABEL,
            _row * _ROW + 4,
            max(1, round(value / most * _BAR)) if value else 0,
            kind,
            _LABEL + (round(value / most * _BAR)) + 6,
            _row * _ROW + 15,
            f"{value:,}",
        )
        for _row, (label, value, kind) in enumerate(values)
    ]
    described = ", ".join(f"{label} {value:,}" for label, value, _ in values)
    return format_html(
        '<svg class="bars" role="img" aria-label="{}" width="720" height="{}" viewBox="0 0 720 {}">{}</svg>',
        f"{title}: {described}",
        len(lines) * _ROW,
        len(lines) * _ROW,
        format_html_join(
            "",
            '<text x="0" y="{}">{}</text><rect x="{}" y="{}" width="{}" height="14" class="{}"></rect>'
            '<text x="{}" y="{}">{}</text>',
            lines,
        ),
    )


def stacked(title: str, series: Mapping[str, Sequence[int]], *, first_minute: int, step: int) -> SafeString:
    """Columns of several series on top of each other, from a moment (Unix time in minutes) on, each of `step` minutes.
    Names of series are also their classes."""
    count = len(next(iter(series.values())))
    most = max((sum(values) for values in zip(*series.values(), strict=True)), default=0)
    heights = [0.0] * count
    rects = []
    for name, values in series.items():
        for column, value in enumerate(values):
            if value:
                height = value / most * _HEIGHT
                heights[column] += height
                rects.append((_LEFT + column * _COLUMN, f"{_top(heights[column]):.1f}", f"{height:.1f}", _kind(name)))
    drawn = format_html_join("", '<rect x="{}" y="{}" width="4" height="{}" class="{}"></rect>', rects)
    sums = ", ".join(f"{name} {sum(values):,}" for name, values in series.items())
    return _chart(f"{title}: {sums}", f"{most:,}", drawn, list(series), first_minute, step, count)


def lines(
    title: str, series: Mapping[str, Sequence[float | None]], *, unit: str, first_minute: int, step: int
) -> SafeString:
    """Lines of several series; None is a gap."""
    count = len(next(iter(series.values())))
    known = [value for values in series.values() for value in values if value is not None]
    most = max(known, default=0.0)
    paths = []
    for name, values in series.items():
        commands, is_drawing = [], False
        for column, value in enumerate(values):
            if value is not None:
                x, y = _LEFT + column * _COLUMN, _top(value / (most or 1) * _HEIGHT)
                # A value between two gaps would be a line without length, which is not drawn.
                commands.append(f"{'L' if is_drawing else 'M'}{x} {y:.1f}" + ("" if is_drawing else "h2"))
            is_drawing = value is not None
        paths.append((" ".join(commands), _kind(name)))
    drawn = format_html_join("", '<path d="{}" class="{}"></path>', paths)
    highest = ", ".join(
        f"{name} at most {max((one for one in values if one is not None), default=0):.3g} {unit}"
        for name, values in series.items()
    )
    return _chart(f"{title}: {highest}", f"{most:.3g} {unit}", drawn, list(series), first_minute, step, count)


def _top(height: float) -> float:
    return _HEIGHT + 14 - height


def _kind(name: str) -> str:
    return f"series-{name.replace(' ', '-')}"


def _chart(
    described: str, most: str, drawn: SafeString, names: Sequence[str], first_minute: int, step: int, count: int
) -> SafeString:
    width, base = _LEFT + count * _COLUMN + 36, _HEIGHT + 14
    ticks = [
        (_LEFT + column * _COLUMN, base + 14, datetime.fromtimestamp(minute * 60, UTC).strftime("%H:%M"))
        for column in range(count)
        if (minute := first_minute + column * step) % _MINUTES_OF_A_LABEL == 0
    ]
    legend = format_html_join(
        "", '<li><span class="swatch {}"></span> {}</li>', ((_kind(name), name) for name in names)
    )
    return format_html(
        '<svg class="chart" role="img" aria-label="{}" viewBox="0 0 {} {}">{}'
        '<path d="M0 {}H{}" class="axis"></path><text x="0" y="10">{}</text>{}</svg><ul class="legend">{}</ul>',
        described,
        width,
        base + _BOTTOM,
        drawn,
        base,
        width,
        most,
        format_html_join("", '<text x="{}" y="{}">{}</text>', ticks),
        legend,
    )
