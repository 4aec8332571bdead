"""Backpropagation through the price of two apples and three oranges with tax.

The graph is (apple * apple_num + orange * orange_num) * tax. For both inputs of the sum, `backward`
returns the gradient unchanged.
"""

from sk_twolayer.layers import AddLayer, MulLayer

apple, apple_num, orange, orange_num, tax = 100, 2, 150, 3, 1.1

mul_apple, mul_orange = MulLayer(), MulLayer()
add_fruit = AddLayer()
mul_tax = MulLayer()

apple_price = mul_apple.forward(apple, apple_num)
orange_price = mul_orange.forward(orange, orange_num)
fruit_price = add_fruit.forward(apple_price, orange_price)
price = mul_tax.forward(fruit_price, tax)
print(f"price         {price:6.1f}")

d_fruit_price, d_tax = mul_tax.backward(1)
d_apple_price, d_orange_price = add_fruit.backward(d_fruit_price)
d_orange, d_orange_num = mul_orange.backward(d_orange_price)
d_apple, d_apple_num = mul_apple.backward(d_apple_price)
print(f"d_apple       {d_apple:6.1f}")
print(f"d_apple_num   {d_apple_num:6.1f}")
print(f"d_orange      {d_orange:6.1f}")
print(f"d_orange_num  {d_orange_num:6.1f}")
print(f"d_tax         {d_tax:6.1f}")
