"""The smallest node there is: one operation, a function of its message."""

import grpc
import multiplier_pb2
import multiplier_pb2_grpc
import serving


class Multiplier(multiplier_pb2_grpc.MultiplierServicer):
    """Computes the product of each pair."""

    def multiply(self, request: multiplier_pb2.Pair, _context: grpc.ServicerContext) -> multiplier_pb2.Result:
        """Return the product, with the number of the pair."""
        value = request.left * request.right
        serving.log("pair_computed", number=request.number, value=value)
        return multiplier_pb2.Result(number=request.number, operation="product", value=value)


if __name__ == "__main__":
    serving.serve(multiplier_pb2_grpc.add_MultiplierServicer_to_server, Multiplier())
