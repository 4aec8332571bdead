"""
A computational graph, forward and backward
===========================================

The price of apples and oranges as a computational graph. The values of the forward pass are above
the edges; below them, in red, is the gradient of the price with respect to each value. A product
passes its gradient back times the *other* input; a sum passes it back unchanged. All numbers are
computed by `MulLayer` and `AddLayer`.
"""

import matplotlib.pyplot as plt

from sk_twolayer.layers import AddLayer, MulLayer

INK, RED, TIMES = "#22303c", "#c8324a", "\N{MULTIPLICATION SIGN}"


def draw(axes, title, nodes, edges):
    """Draw operations as circles, and edges: level, where the numbers stand, then an arrow."""
    arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 17}
    for name, (x, y), bend, end, value, gradient in edges:
        axes.plot([x, bend], [y, y], color=INK, linewidth=1.3, zorder=1)
        axes.annotate("", end, (bend, y), arrowprops=arrow)
        style = {"x": (x + bend) / 2 + (0 if name else 0.15), "ha": "center", "fontsize": 12}
        axes.text(y=y + 0.1, s=f"{value:g} →", va="bottom", color=INK, **style)
        axes.text(y=y - 0.1, s=f"← {gradient:g}", va="top", color=RED, **style)
        axes.text(x - 0.12, y, name, ha="right", va="center", color=INK, fontsize=12)
    for (x, y), sign in nodes.items():
        axes.scatter(x, y, s=800, facecolor="white", edgecolor=INK, linewidth=1.5, zorder=3)
        axes.text(x, y - 0.01, sign, ha="center", va="center", fontsize=19, color=INK, zorder=4)
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set(xlim=(-1.8, 8.1), aspect="equal")
    axes.margins(y=0.16)
    axes.set_axis_off()


figure, (upper, lower) = plt.subplots(
    2, 1, figsize=(9, 8), height_ratios=[1, 2], layout="constrained"
)

# Two apples at 100 each, with a tax factor of 1.1:
mul_apple, mul_tax = MulLayer(), MulLayer()
fruit = mul_apple.forward(100, 2)
price = mul_tax.forward(fruit, 1.1)
d_fruit, d_tax = mul_tax.backward(1)
d_apple, d_apple_num = mul_apple.backward(d_fruit)
edges = [
    ("price of an apple", (0, 2.4), 1.2, (2, 1.9), 100, d_apple),
    ("number of apples", (0, 1.4), 1.2, (2, 1.9), 2, d_apple_num),
    ("tax factor", (0, 0.4), 5.2, (6, 1.2), 1.1, d_tax),
    ("", (2, 1.9), 5.4, (6, 1.2), fruit, d_fruit),
    ("", (6, 1.2), 7.4, (8, 1.2), price, 1),
]
draw(upper, "Two apples", {(2, 1.9): TIMES, (6, 1.2): TIMES}, edges)

# And with three oranges at 150 each:
mul_apple, mul_orange, mul_tax, add = MulLayer(), MulLayer(), MulLayer(), AddLayer()
apples, oranges = mul_apple.forward(100, 2), mul_orange.forward(150, 3)
fruit = add.forward(apples, oranges)
price = mul_tax.forward(fruit, 1.1)
d_fruit, d_tax = mul_tax.backward(1)
d_apples, d_oranges = add.backward(d_fruit)
d_apple, d_apple_num = mul_apple.backward(d_apples)
d_orange, d_orange_num = mul_orange.backward(d_oranges)
edges = [
    ("price of an apple", (0, 4.4), 1.2, (2, 3.9), 100, d_apple),
    ("number of apples", (0, 3.4), 1.2, (2, 3.9), 2, d_apple_num),
    ("price of an orange", (0, 2.4), 1.2, (2, 1.9), 150, d_orange),
    ("number of oranges", (0, 1.4), 1.2, (2, 1.9), 3, d_orange_num),
    ("tax factor", (0, 0.4), 5.2, (6, 1.9), 1.1, d_tax),
    ("", (2, 3.9), 3.3, (4, 2.9), apples, d_apples),
    ("", (2, 1.9), 3.3, (4, 2.9), oranges, d_oranges),
    ("", (4, 2.9), 5.4, (6, 1.9), fruit, d_fruit),
    ("", (6, 1.9), 7.4, (8, 1.9), price, 1),
]
nodes = {(2, 3.9): TIMES, (2, 1.9): TIMES, (4, 2.9): "+", (6, 1.9): TIMES}
draw(lower, "Two apples and three oranges", nodes, edges)
plt.show()
