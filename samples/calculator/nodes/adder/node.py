"""The smallest node there is: one operation, a function of its message."""

import adder_pb2
import adder_pb2_grpc
import grpc
import serving


class Adder(adder_pb2_grpc.AdderServicer):
    """Computes the sum of each pair."""

    def add(self, request: adder_pb2.Pair, _context: grpc.ServicerContext) -> adder_pb2.Result:
        """Return the sum, with the number of the pair."""
        value = request.left + request.right
        serving.log("pair_computed", number=request.number, value=value)
        return adder_pb2.Result(number=request.number, operation="sum", value=value)


if __name__ == "__main__":
    serving.serve(adder_pb2_grpc.add_AdderServicer_to_server, Adder())
