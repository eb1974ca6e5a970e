"""A model: one unary operation, no state between calls."""

from pathlib import Path

import grpc
import sentiment_pb2
import sentiment_pb2_grpc
import serving
from classifier import Classifier

EXAMPLES = Path(__file__).with_name("reviews.tsv")
UNDECIDED = 0.5  # as probable as not


class SentimentClassifier(sentiment_pb2_grpc.SentimentClassifierServicer):
    """Answers with what the classifier says."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    def classify(self, request: sentiment_pb2.Text, _context: grpc.ServicerContext) -> sentiment_pb2.Sentiment:
        """Return label and probability; a text without a known word is undecided, not an error."""
        positive = self._classifier.positive(request.text)
        if positive is None:
            answer = sentiment_pb2.Sentiment(label="undecided", positive=UNDECIDED)
        else:
            answer = sentiment_pb2.Sentiment(
                label="positive" if positive > UNDECIDED else "negative", positive=positive
            )
        serving.log("text_classified", characters=len(request.text), label=answer.label, positive=answer.positive)
        return answer


def main() -> None:
    """Learn, then serve."""
    lines = EXAMPLES.read_text(encoding="utf-8").splitlines()
    examples = [(label, text) for label, _, text in (line.partition("\t") for line in lines)]
    classifier = Classifier.learn(examples)
    serving.log("classifier_learned", examples=len(examples), words=len(classifier.weights))
    serving.serve(sentiment_pb2_grpc.add_SentimentClassifierServicer_to_server, SentimentClassifier(classifier))


if __name__ == "__main__":
    main()
