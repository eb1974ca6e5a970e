"""One of two judges: counts the digits of a guess that stand in their right place.

SECRET: the code of four digits; both judges need the same.
"""

import os
import re
from dataclasses import dataclass

import grpc
import place_judge_pb2
import place_judge_pb2_grpc
import serving

CODE = re.compile(r"[0-9]{4}")


@dataclass(frozen=True, slots=True)
class PlaceJudge(place_judge_pb2_grpc.PlaceJudgeServicer):
    """Compares guesses with the secret. Keeps nothing, so it may run in any number of copies."""

    secret: str

    def judge(self, request: place_judge_pb2.Guess, context: grpc.ServicerContext) -> place_judge_pb2.Verdict:
        """Return how many digits match."""
        if not CODE.fullmatch(request.code):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "code: expected four digits")
        matches = sum(right == tried for right, tried in zip(self.secret, request.code, strict=True))
        serving.log("guess_judged", number=request.number, code=request.code, matches=matches)
        return place_judge_pb2.Verdict(code=request.code, aspect=place_judge_pb2.ASPECT_PLACES, matches=matches)


def main() -> None:
    """Read the secret, then serve."""
    secret = os.environ.get("SECRET") or "2718"
    if not CODE.fullmatch(secret):
        raise SystemExit("SECRET: expected four digits")
    serving.serve(place_judge_pb2_grpc.add_PlaceJudgeServicer_to_server, PlaceJudge(secret))


if __name__ == "__main__":
    main()
