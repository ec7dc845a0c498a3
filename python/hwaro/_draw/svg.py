"""The few shapes that pictures are made of."""

from xml.sax.saxutils import escape

CHARACTER = 7.3  # width of one character of the font below, in pixels
LINE = 16
STYLE = (
    "text{font:12px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#222}"
    ".over{paint-order:stroke;stroke:#fff;stroke-width:4px}"
    ".small{font-size:10px;fill:#666}.middle{text-anchor:middle}.end{text-anchor:end}"
    ".edge{fill:none;stroke:#777;stroke-width:1.2}"
)


def text_width(text):
    return CHARACTER * len(text)


def text(x, y, value, cls=""):
    return f'<text x="{x:.1f}" y="{y:.1f}"{f" class={chr(34)}{cls}{chr(34)}" if cls else ""}>{escape(value)}</text>'


def box(x, y, width, height, fill, stroke="#888", radius=3, title=None):
    inside = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius}" fill="{fill}"'
        f' stroke="{stroke}">{inside}</rect>'
    )


def arrow(points, curved=True):
    """A line through points [(x, y), …] that goes down, with a head at its end."""
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        middle = (y0 + y1) / 2
        path += (
            f"C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}" if curved else f"L{x1:.1f} {y1:.1f}"
        )
    return f'<path class="edge" d="{path}" marker-end="url(#head)"/>'


def document(width, height, parts, title):
    head = (
        '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#777"/></marker>'
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
            f' viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
            f"<title>{escape(title)}</title><style>{STYLE}</style><defs>{head}</defs>",
            f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>',
            *parts,
            "</svg>\n",
        ]
    )
