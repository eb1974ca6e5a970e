"""A naive Bayes classifier for two classes: words, counts and a logarithm. Pure: text in, probability out."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")


def words(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return WORD.findall(text.lower())


@dataclass(frozen=True, slots=True)
class Classifier:
    """What was learned: for each known word, how much more it speaks for positive than for negative."""

    weights: dict[str, float]
    """Word → logarithm of the ratio of its frequencies."""

    @classmethod
    def learn(cls, examples: Iterable[tuple[str, str]]) -> "Classifier":
        """Count the words of `(label, text)` pairs; the label is `positive` or `negative`."""
        counts = {"positive": Counter[str](), "negative": Counter[str]()}
        for label, text in examples:
            counts[label].update(words(text))
        vocabulary = counts["positive"].keys() | counts["negative"].keys()

        def frequency(word: str, label: str) -> float:
            # Every word counts once more than it was seen: a word of one class alone is strong, not certain.
            return (counts[label][word] + 1) / (counts[label].total() + len(vocabulary))

        return cls({word: math.log(frequency(word, "positive") / frequency(word, "negative")) for word in vocabulary})

    def positive(self, text: str) -> float | None:
        """Return the probability that the text is positive, or None when it has no known word."""
        known = [self.weights[word] for word in words(text) if word in self.weights]
        if not known:
            return None
        return 0.5 + 0.5 * math.tanh(math.fsum(known) / 2)  # the logistic function, without its overflow
