"""From a `Dataset` to a fitted network: settings, state, loop, minibatches, scoring."""
