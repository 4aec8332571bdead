"""From what users pass to a `Dataset`: inputs, targets, weights, split."""
