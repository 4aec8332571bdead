"""
The words with the largest scores of each topic
===============================================

Which module of scikit-learn does a paragraph of documentation come from? A vectorizer turns each
paragraph into a sparse row with one column per word. The rows stay sparse during training.
"""

import matplotlib.pyplot as plt
import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.utils.discovery import all_estimators

from sk_twolayer import TwoLayerClassifier

# %%
# The texts are the docstrings of scikit-learn's estimators, split into paragraphs.
TOPICS = ["cluster", "decomposition", "ensemble", "linear_model", "neighbors", "preprocessing"]

texts, topics = [], []
for _, estimator in all_estimators():
    topic = estimator.__module__.split(".")[1]
    for paragraph in (estimator.__doc__ or "").split("\n\n"):
        if topic in TOPICS and len(paragraph.split()) >= 8:
            texts.append(paragraph)
            topics.append(topic)
texts, tests, topics, test_topics = train_test_split(texts, topics, stratify=topics, random_state=0)

# %%
# TF-IDF rows have length 1, so they need no scaler.
words = TfidfVectorizer(
    token_pattern=r"[a-z]{3,}", min_df=3, stop_words="english", dtype=np.float32
)
X, X_test = words.fit_transform(texts), words.transform(tests)
clf = TwoLayerClassifier(50, class_weight="balanced", random_state=0).fit(X, topics)
print(f"{X.shape[0]} paragraphs, {X.shape[1]} words, {X.nnz / np.prod(X.shape):.1%} nonzero")
print(f"accuracy on {X_test.shape[0]} other paragraphs: {clf.score(X_test, test_topics):.2f}")

# %%
# The model can also score a text of a single word. The scores show which topic the word indicates.
# The picture shows the seven words with the largest scores for each topic:
alone = scipy.sparse.identity(X.shape[1], dtype=np.float32, format="csr")
scores = clf.decision_function(alone)
scores -= scores.mean(axis=1, keepdims=True)
names = words.get_feature_names_out()

figure, panels = plt.subplots(2, 3, figsize=(10, 5.6), sharex=True)
for axes, topic, column in zip(panels.flat, clf.classes_, scores.T, strict=True):
    first = column.argsort()[::-1][:7]
    axes.barh(range(7), column[first], height=0.7)
    axes.set_yticks(range(7), names[first])
    axes.invert_yaxis()
    axes.set_title(topic, fontweight="bold")
    axes.tick_params(axis="y", length=0)
figure.supxlabel("score of the topic for a text of that one word, minus the mean of all topics")
plt.show()

# %%
# Many of these words are names of estimators, parameters or attributes of the module.
