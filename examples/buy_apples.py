"""Backpropagation through the price of two apples, tax included.

The graph is (apple * apple_num) * tax. Forward, each layer computes a price and remembers its
inputs; backward, each turns the gradient of its output into the gradients of its inputs.
"""

from sk_twolayer.layers import MulLayer

apple, apple_num, tax = 100, 2, 1.1

mul_apple = MulLayer()
mul_tax = MulLayer()

apple_price = mul_apple.forward(apple, apple_num)
price = mul_tax.forward(apple_price, tax)
print(f"price        {price:6.1f}")

d_apple_price, d_tax = mul_tax.backward(1)
d_apple, d_apple_num = mul_apple.backward(d_apple_price)
print(f"d_apple      {d_apple:6.1f}   a yen more for an apple costs 2.2 yen more")
print(f"d_apple_num  {d_apple_num:6.1f}   one more apple costs 110 yen more")
print(f"d_tax        {d_tax:6.1f}")
