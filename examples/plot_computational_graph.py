"""
A computational graph, forward and backward
===========================================

The price of apples and oranges, drawn as textbooks draw it: values above the edges, going right;
below them, in red, the gradient of the price with respect to that value, going left. A product
hands back its gradient times the *other* input, a sum hands it back as it is. All numbers come out
of `MulLayer` and `AddLayer`.
"""

import matplotlib.pyplot as plt

from sk_twolayer.layers import AddLayer, MulLayer

INK, RED = "#22303c", "#c8324a"


def edge(axes, start, bend, end, value, gradient, name=""):
    """Draw an edge: level, where its numbers stand, and then an arrow to the next node."""
    axes.plot([start[0], bend], [start[1], start[1]], color=INK, linewidth=1.3, zorder=1)
    arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 17}
    axes.annotate("", end, (bend, start[1]), arrowprops=arrow)
    middle = (start[0] + bend) / 2 + (0 if name else 0.15)
    style = {"ha": "center", "fontsize": 12}
    axes.text(middle, start[1] + 0.1, f"{value:g}", va="bottom", color=INK, **style)
    axes.text(middle, start[1] - 0.1, f"{gradient:g}", va="top", color=RED, **style)
    axes.text(start[0] - 0.12, start[1], name, ha="right", va="center", color=INK, fontsize=12)


def nodes(axes, places):
    """Draw the operations as circles."""
    for (x, y), sign in places.items():
        axes.scatter(x, y, s=800, facecolor="white", edgecolor=INK, linewidth=1.5, zorder=3)
        axes.text(x, y - 0.01, sign, ha="center", va="center", fontsize=19, color=INK, zorder=4)


figure, (upper, lower) = plt.subplots(
    2, 1, figsize=(9, 7.4), height_ratios=[2.4, 4.4], layout="constrained"
)

# %%
# Two apples at 100 each, with a tax factor of 1.1:
mul_apple, mul_tax = MulLayer(), MulLayer()
fruit = mul_apple.forward(100, 2)
price = mul_tax.forward(fruit, 1.1)
d_fruit, d_tax = mul_tax.backward(1)
d_apple, d_apple_num = mul_apple.backward(d_fruit)

edge(upper, (0, 2.4), 1.2, (2, 1.9), 100, d_apple, "price of an apple")
edge(upper, (0, 1.4), 1.2, (2, 1.9), 2, d_apple_num, "number of apples")
edge(upper, (2, 1.9), 5.4, (6, 1.2), fruit, d_fruit)
edge(upper, (0, 0.4), 5.2, (6, 1.2), 1.1, d_tax, "tax factor")
edge(upper, (6, 1.2), 7.4, (8, 1.2), price, 1)
nodes(upper, {(2, 1.9): "×", (6, 1.2): "×"})
upper.set_title("Two apples", loc="left", color=INK)

# %%
# And with three oranges at 150 each:
mul_apple, mul_orange, add, mul_tax = MulLayer(), MulLayer(), AddLayer(), MulLayer()
apples, oranges = mul_apple.forward(100, 2), mul_orange.forward(150, 3)
fruit = add.forward(apples, oranges)
price = mul_tax.forward(fruit, 1.1)
d_fruit, d_tax = mul_tax.backward(1)
d_apples, d_oranges = add.backward(d_fruit)
d_apple, d_apple_num = mul_apple.backward(d_apples)
d_orange, d_orange_num = mul_orange.backward(d_oranges)

edge(lower, (0, 4.4), 1.2, (2, 3.9), 100, d_apple, "price of an apple")
edge(lower, (0, 3.4), 1.2, (2, 3.9), 2, d_apple_num, "number of apples")
edge(lower, (2, 3.9), 3.3, (4, 2.9), apples, d_apples)
edge(lower, (0, 2.4), 1.2, (2, 1.9), 150, d_orange, "price of an orange")
edge(lower, (0, 1.4), 1.2, (2, 1.9), 3, d_orange_num, "number of oranges")
edge(lower, (2, 1.9), 3.3, (4, 2.9), oranges, d_oranges)
edge(lower, (4, 2.9), 5.4, (6, 1.9), fruit, d_fruit)
edge(lower, (0, 0.4), 5.2, (6, 1.9), 1.1, d_tax, "tax factor")
edge(lower, (6, 1.9), 7.4, (8, 1.9), price, 1)
nodes(lower, {(2, 3.9): "×", (2, 1.9): "×", (4, 2.9): "+", (6, 1.9): "×"})
lower.set_title("Two apples and three oranges", loc="left", color=INK)
for axes in (upper, lower):
    axes.set(xlim=(-1.8, 8.1), aspect="equal")
    axes.margins(y=0.1)
    axes.set_axis_off()
plt.show()
