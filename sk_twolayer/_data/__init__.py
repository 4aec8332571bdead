"""From the arguments of users to a `Dataset`: inputs, targets, weights, split."""
