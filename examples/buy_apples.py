"""Backpropagation through the price of two apples with tax.

The graph is (apple * apple_num) * tax. `forward` of each layer computes a price and stores the
inputs. `backward` takes the gradient with respect to the output, and computes the gradients with
respect to the inputs.
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
print(f"d_apple      {d_apple:6.1f}   if an apple costs 1 more, the purchase costs 2.2 more")
print(f"d_apple_num  {d_apple_num:6.1f}   one more apple costs 110 more")
print(f"d_tax        {d_tax:6.1f}")
