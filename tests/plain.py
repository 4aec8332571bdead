"""Plain gradient descent at one pace: what the tests of training count with, whatever the defaults.

The defaults are chosen by how well they do on data; what a step does is tested with these.
"""

PLAIN = {"solver": "sgd", "learning_rate_schedule": "constant", "alpha": 1e-4}


def pace(clf):
    """Return the learning rate with which a fitted classifier would go on."""
    return clf._make_session(True, clf._plan(1, ends=False, streams=True)).learning_rate.now
