"""A force profile drawn with nothing but text: in a terminal, and as SVG."""

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from controller.profile import Profile

COLUMNS: Final = 72
ROWS: Final = 12
EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 800, 300, 56, 36, 16


def in_text(profile: Profile) -> str:
    """Force upwards, time to the right."""
    peak_n, total_s = profile.peak_n, profile.total_s
    planned = [profile.planned_n(total_s * (column + 0.5) / COLUMNS) for column in range(COLUMNS)]
    heights = [round(force_n / peak_n * ROWS * 8) for force_n in planned]
    lines = [
        f"{_label(peak_n, row):>6} │"
        + "".join(EIGHTHS[min(8, max(0, height - 8 * row))] for height in heights).rstrip()
        for row in reversed(range(ROWS))
    ]
    end = f"{total_s / 60:.1f} min"
    return "\n".join([*lines, f"{'0 N':>6} └{'─' * COLUMNS}", f"{'':8}0{end:>{COLUMNS - 1}}"])


def _label(peak_n: float, row: int) -> str:
    """The force at the top of that row, for each fourth row."""
    return f"{peak_n * (row + 1) / ROWS:.0f} N" if (row + 1) % (ROWS // 3) == 0 else ""


def in_svg(profile: Profile, title: str) -> str:
    """A page of its own, which any browser opens."""
    peak_n, total_s = profile.peak_n, profile.total_s
    across, up = (WIDTH - LEFT - TOP) / total_s, (HEIGHT - BOTTOM - TOP) / peak_n
    line = " ".join(f"{LEFT + at_s * across:.1f},{HEIGHT - BOTTOM - n * up:.1f}" for at_s, n in profile.points())
    view = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="12"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {view}><title>{escape(title)}</title>',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            *_axes(peak_n, up, total_s, across),
            f'<polyline points="{line}" fill="none" stroke="#1f5fa8" stroke-width="2"/>',
            "</svg>\n",
        ]
    )


def _axes(peak_n: float, up: float, total_s: float, across: float) -> Iterator[str]:
    for share in (0.0, 0.5, 1.0):
        y = HEIGHT - BOTTOM - peak_n * share * up
        yield f'<line x1="{LEFT}" x2="{WIDTH - TOP}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ccc"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{peak_n * share:.0f} N</text>'
        x = LEFT + total_s * share * across
        yield f'<text x="{x:.1f}" y="{HEIGHT - 12}" text-anchor="middle">{total_s * share / 60:.1f} min</text>'
