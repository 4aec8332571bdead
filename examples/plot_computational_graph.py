"""
Values and gradients in the price of some fruit
===============================================

The price of two apples with tax is a product of three numbers. Written as a computational graph,
each operation is a layer: `forward` computes its output, and `backward` computes the gradient of
the price with respect to its inputs.
"""

import matplotlib.pyplot as plt

from sk_twolayer.layers import AddLayer, MulLayer

TIMES = "\N{MULTIPLICATION SIGN}"

# %%
# Two apples cost 100 each, and the tax factor is 1.1. For each input, `backward` of a product
# multiplies the incoming gradient by the *other* input.
mul_apple, mul_tax = MulLayer(), MulLayer()
fruit = mul_apple.forward(100, 2)
price = mul_tax.forward(fruit, 1.1)
d_fruit, d_tax = mul_tax.backward(1)
d_apple, d_apple_num = mul_apple.backward(d_fruit)

# %%
# For the picture, an edge is a tuple of its name, start, position of the bend, end, value and
# gradient.
two_apples = [
    ("price of an apple", (0, 2.4), 1.2, (2, 1.9), 100, d_apple),
    ("number of apples", (0, 1.4), 1.2, (2, 1.9), 2, d_apple_num),
    ("tax factor", (0, 0.4), 5.2, (6, 1.2), 1.1, d_tax),
    ("", (2, 1.9), 5.4, (6, 1.2), fruit, d_fruit),
    ("", (6, 1.2), 7.4, (8, 1.2), price, 1),
]

# %%
# Three oranges at 150 are added. `backward` of a sum returns the incoming gradient unchanged.
mul_apple, mul_orange, mul_tax, add = MulLayer(), MulLayer(), MulLayer(), AddLayer()
apples, oranges = mul_apple.forward(100, 2), mul_orange.forward(150, 3)
fruit = add.forward(apples, oranges)
price = mul_tax.forward(fruit, 1.1)
d_fruit, d_tax = mul_tax.backward(1)
d_apples, d_oranges = add.backward(d_fruit)
d_apple, d_apple_num = mul_apple.backward(d_apples)
d_orange, d_orange_num = mul_orange.backward(d_oranges)

apples_and_oranges = [
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


# %%
# The graphs of both purchases:
def draw(axes, title, nodes, edges):
    """Draw operations as circles, and edges with the value above and the gradient below."""
    for name, (x, y), bend, end, value, gradient in edges:
        axes.plot([x, bend], [y, y], color="gray", linewidth=1.3, zorder=1)
        arrow = {"arrowstyle": "-|>", "color": "gray", "shrinkA": 0, "shrinkB": 17}
        axes.annotate("", end, (bend, y), arrowprops=arrow)
        style = {"x": (x + bend) / 2 + (0 if name else 0.15), "ha": "center", "fontsize": 12}
        axes.text(y=y + 0.1, s=f"{value:g} →", va="bottom", **style)
        axes.text(y=y - 0.1, s=f"← {gradient:g}", va="top", color="C1", **style)
        axes.text(x - 0.12, y, name, ha="right", va="center", fontsize=12)
    for (x, y), sign in nodes.items():
        axes.scatter(x, y, s=800, facecolor="white", edgecolor="gray", linewidth=1.5, zorder=3)
        axes.text(x, y - 0.01, sign, ha="center", va="center", fontsize=19, color="black", zorder=4)
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set(xlim=(-1.8, 8.1), aspect="equal")
    axes.margins(y=0.16)
    axes.set_axis_off()


figure, (upper, lower) = plt.subplots(2, 1, figsize=(9, 8), height_ratios=[1, 2])
draw(upper, "Two apples", {(2, 1.9): TIMES, (6, 1.2): TIMES}, two_apples)
nodes = {(2, 3.9): TIMES, (2, 1.9): TIMES, (4, 2.9): "+", (6, 1.9): TIMES}
draw(lower, "Two apples and three oranges", nodes, apples_and_oranges)
plt.show()

# %%
# Values are above the edges, and gradients are in red below them. In the first graph, the gradient
# of the price of an apple is 2.2: if an apple costs 1 more, the purchase costs 2.2 more. The
# gradient of the tax factor rises from 200 to 650 in the second graph, because the tax is paid on
# the oranges too.
