"""One of two judges: counts the digits of a guess that are in the secret at all, wherever they stand.

SECRET: the code of four digits; both judges need the same.
"""

import os
import re
from collections import Counter
from dataclasses import dataclass

import digit_judge_pb2
import digit_judge_pb2_grpc
import grpc
import serving

CODE = re.compile(r"[0-9]{4}")


@dataclass(frozen=True, slots=True)
class DigitJudge(digit_judge_pb2_grpc.DigitJudgeServicer):
    """Compares guesses with the secret. Keeps nothing, so it may run in any number of copies."""

    secret: str

    def judge(self, request: digit_judge_pb2.Guess, context: grpc.ServicerContext) -> digit_judge_pb2.Verdict:
        """Return how many digits match."""
        if not CODE.fullmatch(request.code):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "code: expected four digits")
        matches = (Counter(self.secret) & Counter(request.code)).total()
        serving.log("guess_judged", number=request.number, code=request.code, matches=matches)
        return digit_judge_pb2.Verdict(code=request.code, aspect=digit_judge_pb2.ASPECT_DIGITS, matches=matches)


def main() -> None:
    """Read the secret, then serve."""
    secret = os.environ.get("SECRET") or "2718"
    if not CODE.fullmatch(secret):
        raise SystemExit("SECRET: expected four digits")
    serving.serve(digit_judge_pb2_grpc.add_DigitJudgeServicer_to_server, DigitJudge(secret))


if __name__ == "__main__":
    main()
