"""
A network as a computational graph
==================================

The layers of a network in order, drawn by `TwoLayerNet.plot`. The shapes of the forward pass are
above the edges, and the shapes of the gradients are below them, in red. The parameters join from
below. No gradient is computed for the input of the first layer.
"""

import matplotlib.pyplot as plt

from sk_twolayer import TwoLayerNet
from sk_twolayer.layers import LeakyRelu

net = TwoLayerNet(64, 50, 10, random_state=0)
print(net)
net.plot()

# %%
# The same with another activation, and dropout after it:
net = TwoLayerNet(64, 50, 10, activation=LeakyRelu(slope=0.2), dropout=0.5, random_state=0)
print(net)
net.plot()
plt.show()
