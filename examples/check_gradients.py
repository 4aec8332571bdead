"""Compare the gradients of backpropagation with central differences, on digits.

A central difference needs two forward passes per parameter, so it is slow, but it does not depend
on `backward`. The script prints the largest difference per parameter and activation.
"""

from sklearn.datasets import load_digits

from sk_twolayer import TwoLayerNet
from sk_twolayer.gradient_check import check_gradients

X, t = load_digits(return_X_y=True)
x, t = X[:3] / 16, t[:3]

SMOOTH = ("sigmoid", "tanh", "identity", "elu", "softplus", "silu", "gelu", "mish")
for activation in ("relu", "leaky_relu", *SMOOTH):
    net = TwoLayerNet(64, 20, 10, activation=activation, random_state=0)
    for name, difference in check_gradients(net, x, t).items():
        print(f"{activation:10s} {name}  largest difference {difference:.1e}")
        if difference >= 1e-7:
            raise SystemExit(f"backpropagation is wrong for {name} with {activation}")
