"""Pictures of charts: SVG by hand, PNG by Pillow.

A picture is written beside its target and then renamed, so a target is old or new and never half.
"""

import contextlib
import html
import io
import os
from pathlib import Path

from regtui.core.errors import BadInput, RegtuiError
from regtui.registry.answers_compare import PlotAnswer
from regtui.registry.chart import LEGEND_LIMIT, LEGEND_ROW, Chart, Line, make_chart

WIDTH, HEIGHT = 900, 500
SIZES = range(200, 10_001)
"""Pixels that a picture may have in each direction."""

SCALE = 2
"""A PNG is drawn this much larger and then reduced, which makes its lines smooth."""

_TEXT, _AXIS, _GRID = "#222222", "#666666", "#e5e5e5"


def write_plot(
    answer: PlotAnswer, target: Path, *, width: int | None = None, height: int | None = None
) -> None:
    """Write a plot as `.svg` or `.png`, as the name of the target says.

    Args:
        answer: What to draw.
        target: The file; one that is there is replaced.
        width: Pixels; None for 900.
        height: Pixels without the legend; None for 500.

    Raises:
        BadInput: The name or a size makes no sense.
        RegtuiError: The file can't be written, or a library is missing.
    """
    width, height = width or WIDTH, height or HEIGHT
    for name, size in (("width", width), ("height", height)):
        if size not in SIZES:
            raise BadInput(f"the {name} {size} is out of range", "give 200 to 10000 pixels")
    kind = target.suffix.lower()
    if kind not in {".svg", ".png"}:
        raise BadInput(f"{target.name!r} is neither .svg nor .png", "such as --output loss.svg")
    chart = make_chart(answer, width, height)
    _replace(target, svg(chart).encode() if kind == ".svg" else png(chart))


def svg(chart: Chart) -> str:
    """Return a chart as an SVG document."""
    left, top, right, bottom = chart.area
    middle = (left + right) / 2
    shapes = [
        f'<rect width="{chart.width}" height="{chart.height}" fill="#ffffff"/>',
        _svg_text(middle, top - 14, chart.title, "middle", size=15),
        *(
            shape
            for tick in chart.y_ticks
            for shape in (
                _svg_line(left, tick.at, right, tick.at, _GRID),
                _svg_text(left - 8, tick.at + 4, tick.label, "end"),
            )
        ),
        *(
            shape
            for tick in chart.x_ticks
            for shape in (
                _svg_line(tick.at, bottom, tick.at, bottom + 5, _AXIS),
                _svg_text(tick.at, bottom + 18, tick.label, "middle"),
            )
        ),
        _svg_line(left, bottom, right, bottom, _AXIS),
        _svg_line(left, top, left, bottom, _AXIS),
        _svg_text(middle, bottom + 36, chart.x_label, "middle"),
        *(_svg_curve(line) for line in chart.lines),
        *(
            f'<rect x="{left:.0f}" y="{y - 6:.0f}" width="16" height="4" fill="{color}"/>'
            + _svg_text(left + 24, y, name, "start")
            for y, color, name in _legend(chart)
        ),
    ]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{chart.width}" height="{chart.height}" '
        f'viewBox="0 0 {chart.width} {chart.height}" font-family="sans-serif" font-size="12" '
        f'fill="{_TEXT}">\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def png(chart: Chart) -> bytes:
    """Return a chart as a PNG file.

    Raises:
        RegtuiError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        raise RegtuiError(
            "drawing a .png needs Pillow", "`pip install 'regtui[plot]'`, or write an .svg"
        ) from None
    image = Image.new("RGB", (chart.width * SCALE, chart.height * SCALE), "#ffffff")
    draw = ImageDraw.Draw(image)
    small, large = (ImageFont.load_default(size * SCALE) for size in (12, 15))

    def line(points: list[tuple[float, float]], color: str, width: int = 1) -> None:
        flat = [(x * SCALE, y * SCALE) for x, y in points]
        draw.line(flat, fill=color, width=width * SCALE, joint="curve")

    def text(x: float, y: float, words: str, anchor: str) -> None:
        font = large if y < chart.area[1] else small
        shown = _without_controls(words)
        draw.text((x * SCALE, y * SCALE), shown, fill=_TEXT, font=font, anchor=anchor)

    left, top, right, bottom = chart.area
    text((left + right) / 2, top - 14, chart.title, "ms")
    for tick in chart.y_ticks:
        line([(left, tick.at), (right, tick.at)], _GRID)
        text(left - 8, tick.at + 4, tick.label, "rs")
    for tick in chart.x_ticks:
        line([(tick.at, bottom), (tick.at, bottom + 5)], _AXIS)
        text(tick.at, bottom + 18, tick.label, "ms")
    line([(left, top), (left, bottom), (right, bottom)], _AXIS)
    text((left + right) / 2, bottom + 36, chart.x_label, "ms")
    for curve in chart.lines:
        for part in curve.parts:
            line(part, curve.color, 2)
        for x, y in curve.dots:
            draw.circle((x * SCALE, y * SCALE), 3 * SCALE, fill=curve.color)
    for y, color, name in _legend(chart):
        line([(left, y - 4), (left + 16, y - 4)], color, 4)
        text(left + 24, y, name, "ls")
    file = io.BytesIO()
    image.reduce(SCALE).save(file, "PNG", optimize=True)
    return file.getvalue()


def _legend(chart: Chart) -> list[tuple[float, str, str]]:
    """Return height, colour and name of each row of the legend."""
    rows = [(line.color, line.name) for line in chart.lines[:LEGEND_LIMIT]]
    if chart.unnamed:
        rows.append(("#ffffff", f"and {chart.unnamed} more"))
    start = chart.height - LEGEND_ROW * len(rows) + 8
    return [(start + LEGEND_ROW * index, *row) for index, row in enumerate(rows)]


def _svg_curve(line: Line) -> str:
    drawn = [
        f'<polyline fill="none" stroke="{line.color}" stroke-width="2" stroke-linejoin="round" '
        f'points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in part)}"/>'
        for part in line.parts
    ]
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in line.dots]
    name = html.escape(_without_controls(line.name))
    return f'<g fill="{line.color}"><title>{name}</title>' + "".join(drawn + dots) + "</g>"


def _svg_line(x1: float, y1: float, x2: float, y2: float, color: str) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{color}" stroke-width="1"/>'
    )


def _svg_text(x: float, y: float, words: str, anchor: str, *, size: int = 12) -> str:
    shown = html.escape(_without_controls(words))
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{shown}</text>'


def _without_controls(text: str) -> str:
    """Return a text without what XML forbids or a font has no picture for."""
    return "".join(char if char.isprintable() else " " for char in text)


def _replace(target: Path, data: bytes) -> None:
    target = Path(os.path.realpath(target))  # a link stays a link
    if target.exists() and not target.is_file():
        raise BadInput(f"{target} is a folder or device", "name a file")
    beside = target.with_name(f".{target.name}.part")
    try:
        beside.write_bytes(data)
        beside.replace(target)
    except OSError as error:
        raise RegtuiError(f"can't write {target}: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
