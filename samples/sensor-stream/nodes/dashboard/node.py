"""A sink with a web page: it takes a stream in, answers nothing, and shows on WEB_UI_PORT what came.

POINTS: how many readings it keeps.
"""

from collections.abc import Iterator

import dashboard_pb2
import dashboard_pb2_grpc
import grpc
import serving
import web
from board import LONGEST_NAME, Board, Point


class Dashboard(dashboard_pb2_grpc.DashboardServicer):
    """Puts every judgement on the board."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def show(self, requests: Iterator[dashboard_pb2.Judgement], _context: grpc.ServicerContext) -> dashboard_pb2.Empty:
        """Take judgements until the stream ends."""
        shown = 0
        for shown, judgement in enumerate(requests, start=1):  # noqa: B007 the count is wanted after the loop
            self._board.add(_point(judgement))
            serving.log("reading_shown", number=judgement.reading.number, anomaly=judgement.anomaly)
        serving.log("stream_ended", readings=shown)
        return dashboard_pb2.Empty()


def _point(judgement: dashboard_pb2.Judgement) -> Point:
    return Point(
        number=judgement.reading.number,
        sensor=judgement.reading.sensor[:LONGEST_NAME],
        value=judgement.reading.value,
        mean=judgement.mean,
        deviation=judgement.deviation,
        anomaly=judgement.anomaly,
    )


def main() -> None:
    """Serve the page and the operation side by side."""
    board = Board(serving.number_setting("POINTS", 300, least=1))
    with web.served(board):
        serving.serve(dashboard_pb2_grpc.add_DashboardServicer_to_server, Dashboard(board))


if __name__ == "__main__":
    main()
