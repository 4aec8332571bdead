"""From a `Dataset` to a `FitResult`: settings, state, loop, minibatches, scoring."""
