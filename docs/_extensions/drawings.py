"""Draw the logo, the icon of the browser tab and the picture of the front page as SVG files.

``python docs/_extensions/drawings.py`` writes them to ``docs/_static``, each for a light and for a
dark background. The folder of another project is the first argument.
"""

import sys
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from sklearn.datasets import load_digits


class Palette(NamedTuple):
    """Colours of a drawing."""

    unit: str  # inputs and outputs
    hidden: str  # hidden units, and the class that is predicted
    weight: str  # the lines between units
    text: str


class Column(NamedTuple):
    """Units that stand above each other: their place, their size and the distance of centres."""

    x: float
    n_units: int
    radius: float
    step: float

    def centres(self, middle: float) -> list[tuple[float, float]]:
        """Return the centres of the units, around the height `middle`."""
        top = middle - self.step * (self.n_units - 1) / 2
        return [(self.x, top + self.step * i) for i in range(self.n_units)]


PALETTES = {
    "light": Palette("#3d5a80", "#d1495b", "#9aa8ba", "#1f2933"),
    "dark": Palette("#9cb9e0", "#ff8c9b", "#66758a", "#e6e9ee"),
}
LOGO = [Column(9, 2, 6, 24), Column(32, 3, 7.5, 21), Column(55, 2, 6, 24)]
DIGIT = 3  # the row of scikit-learn's digits on the front page; an image of a three


def line(start: tuple[float, float], end: tuple[float, float], width: float, colour: str) -> str:
    """Return a line."""
    (x1, y1), (x2, y2) = start, end
    ends = f'x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width:g}"/>'


def circle(centre: tuple[float, float], radius: float, colour: str) -> str:
    """Return a filled circle."""
    return f'<circle cx="{centre[0]:g}" cy="{centre[1]:g}" r="{radius:g}" fill="{colour}"/>'


def square(x: float, y: float, size: float, colour: str, opacity: float) -> str:
    """Return a filled square."""
    area = f'x="{x:g}" y="{y:g}" width="{size:g}" height="{size:g}" rx="2"'
    return f'<rect {area} fill="{colour}" fill-opacity="{opacity:.2f}"/>'


def text(x: float, y: float, words: str, colour: str, *, size: int, anchor: str = "middle") -> str:
    """Return a line of text."""
    place = f'x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="{size}"'
    return f'<text {place} font-family="sans-serif" fill="{colour}">{words}</text>'


def network(columns: list[Column], middle: float, width: float, palette: Palette) -> list[str]:
    """Return the lines and the units of a fully connected network; the inner columns are hidden."""
    places = [column.centres(middle) for column in columns]
    shapes = [
        line(start, end, width, palette.weight)
        for left, right in pairwise(places)
        for start in left
        for end in right
    ]
    for number, (column, centres) in enumerate(zip(columns, places, strict=True)):
        colour = palette.hidden if 0 < number < len(columns) - 1 else palette.unit
        shapes += [circle(centre, column.radius, colour) for centre in centres]
    return shapes


def svg(shapes: list[str], width: int, height: int, title: str) -> str:
    """Return the file of a drawing."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
    size = f'width="{width}" height="{height}"'
    body = "\n".join([f"<title>{title}</title>", *shapes])
    return f"{head} {size}>\n{body}\n</svg>\n"


def logo(palette: Palette) -> str:
    """Return the logo: two layers of weights between three columns of units."""
    return svg(network(LOGO, 32, 2, palette), 64, 64, "sk_twolayer")


def front_page(palette: Palette) -> str:
    """Return the picture of the front page: a digit, the network, and the class predicted."""
    digits = load_digits()
    pixels, label = digits.images[DIGIT], digits.target[DIGIT]
    pixel, corner, middle = 18, (10, 84), 156
    shapes = [square(corner[0] - 5, corner[1] - 5, 8 * pixel + 9, palette.weight, 0.15)]
    shapes += [
        square(corner[0] + pixel * j, corner[1] + pixel * i, pixel - 1, palette.unit, value / 16)
        for i, row in enumerate(pixels)
        for j, value in enumerate(row)
    ]
    columns = [Column(190, 8, 5, 18), Column(300, 9, 9, 29), Column(410, 10, 8, 27)]
    shapes += network(columns, middle, 0.7, palette)
    for digit, (x, y) in enumerate(columns[-1].centres(middle)):
        is_predicted = digit == label
        if is_predicted:
            shapes.append(circle((x, y), 12, palette.hidden))
        colour = palette.hidden if is_predicted else palette.text
        shapes.append(text(x + 28, y + 6, str(digit), colour, size=20 if is_predicted else 16))
    for x, words in ((82, "64 pixels"), (300, "hidden layer"), (418, "class")):
        shapes.append(text(x, 322, words, palette.text, size=15))
    return svg(shapes, 460, 332, "A digit, a network with one hidden layer, and the class")


def files() -> dict[str, str]:
    """Return the contents of each file by its name."""
    drawings = {"logo": logo, "front-page": front_page}
    return {
        f"{name}-{theme}.svg": draw(palette)
        for name, draw in drawings.items()
        for theme, palette in PALETTES.items()
    }


def main() -> None:
    """Write the files."""
    default = Path(__file__).parents[1] / "_static"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    for name, content in files().items():
        (folder / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
