"""A sink that writes what it gets to its log."""

import grpc
import printer_pb2
import printer_pb2_grpc
import serving


class Printer(printer_pb2_grpc.PrinterServicer):
    """Logs the results that belong together."""

    def show(self, request: printer_pb2.Results, _context: grpc.ServicerContext) -> printer_pb2.Empty:
        """Log one line for each message."""
        numbers = sorted({result.number for result in request.results})
        values = {result.operation: result.value for result in request.results}
        serving.log("results_shown", numbers=numbers, values=values)
        return printer_pb2.Empty()


if __name__ == "__main__":
    serving.serve(printer_pb2_grpc.add_PrinterServicer_to_server, Printer())
