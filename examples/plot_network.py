"""
A net as a computational graph
==============================

The layers of a net in order, as `TwoLayerNet.plot` draws them: the shapes of what goes right above
the edges, and below them, in red, the shapes of the gradients that come back. The parameters join
from below, and get their own gradients. Nothing lies before the first layer, so no gradient is
computed for the input.
"""

import matplotlib.pyplot as plt

from sk_twolayer import TwoLayerNet
from sk_twolayer.layers import LeakyRelu

net = TwoLayerNet(64, 50, 10, random_state=0)
print(net)
net.plot()

# %%
# Another activation, and dropout after it, are links of the same chain:
net = TwoLayerNet(64, 50, 10, activation=LeakyRelu(slope=0.2), dropout=0.5, random_state=0)
print(net)
net.plot()
plt.show()
