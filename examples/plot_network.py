"""
A network as a graph of its layers
==================================

`TwoLayerNet` contains its layers in order. `print(net)` lists them with their shapes, and
`TwoLayerNet.plot` draws them.
"""

import matplotlib.pyplot as plt

from sk_twolayer import TwoLayerNet
from sk_twolayer.layers import LeakyRelu

# %%
# A network for the digits: 64 pixels, 50 hidden units, 10 classes.
net = TwoLayerNet(64, 50, 10, random_state=0)
print(net)
net.plot()
plt.show()

# %%
# The shapes of the arrays in the forward pass are above the edges, and the shapes of the gradients
# are below them in red. The parameters and the targets `t` enter the graph from below. There is no
# gradient at the first edge, because training does not need the gradient with respect to the input.
#
# The same network with another activation, and dropout after it:
net = TwoLayerNet(64, 50, 10, activation=LeakyRelu(slope=0.2), dropout=0.5, random_state=0)
print(net)
net.plot()
plt.show()

# %%
# `LeakyRelu` and `Dropout` have no parameters to learn, so the number of parameters is the same.
