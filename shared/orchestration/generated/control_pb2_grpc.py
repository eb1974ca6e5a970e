"""Generated from slipway/orchestrator/v1/control.proto by shared/orchestration/regenerate.py; never edited by hand."""

import grpc

try:  # a module of a package here, a plain file beside this one in a bundle
    from . import control_pb2 as _messages
except ImportError:
    import control_pb2 as _messages


class ControlStub:
    def __init__(self, channel):
        self.Start = channel.unary_unary(
            "/slipway.orchestrator.v1.Control/Start",
            request_serializer=_messages.StartRequest.SerializeToString,
            response_deserializer=_messages.Run.FromString,
        )
        self.Stop = channel.unary_unary(
            "/slipway.orchestrator.v1.Control/Stop",
            request_serializer=_messages.StopRequest.SerializeToString,
            response_deserializer=_messages.Run.FromString,
        )
        self.Pause = channel.unary_unary(
            "/slipway.orchestrator.v1.Control/Pause",
            request_serializer=_messages.RunName.SerializeToString,
            response_deserializer=_messages.Run.FromString,
        )
        self.Resume = channel.unary_unary(
            "/slipway.orchestrator.v1.Control/Resume",
            request_serializer=_messages.RunName.SerializeToString,
            response_deserializer=_messages.Run.FromString,
        )
        self.ListRuns = channel.unary_unary(
            "/slipway.orchestrator.v1.Control/ListRuns",
            request_serializer=_messages.ListRunsRequest.SerializeToString,
            response_deserializer=_messages.RunList.FromString,
        )
        self.Watch = channel.unary_stream(
            "/slipway.orchestrator.v1.Control/Watch",
            request_serializer=_messages.RunName.SerializeToString,
            response_deserializer=_messages.Run.FromString,
        )
        self.GetStatistics = channel.unary_unary(
            "/slipway.orchestrator.v1.Control/GetStatistics",
            request_serializer=_messages.RunName.SerializeToString,
            response_deserializer=_messages.Statistics.FromString,
        )
        self.Sample = channel.unary_stream(
            "/slipway.orchestrator.v1.Control/Sample",
            request_serializer=_messages.SampleRequest.SerializeToString,
            response_deserializer=_messages.SampledMessage.FromString,
        )


class ControlServicer:
    def Start(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "Start is not implemented")

    def Stop(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "Stop is not implemented")

    def Pause(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "Pause is not implemented")

    def Resume(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "Resume is not implemented")

    def ListRuns(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "ListRuns is not implemented")

    def Watch(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "Watch is not implemented")

    def GetStatistics(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "GetStatistics is not implemented")

    def Sample(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "Sample is not implemented")


def add_ControlServicer_to_server(servicer, server):
    handlers = {
        "Start": grpc.unary_unary_rpc_method_handler(
            servicer.Start,
            request_deserializer=_messages.StartRequest.FromString,
            response_serializer=_messages.Run.SerializeToString,
        ),
        "Stop": grpc.unary_unary_rpc_method_handler(
            servicer.Stop,
            request_deserializer=_messages.StopRequest.FromString,
            response_serializer=_messages.Run.SerializeToString,
        ),
        "Pause": grpc.unary_unary_rpc_method_handler(
            servicer.Pause,
            request_deserializer=_messages.RunName.FromString,
            response_serializer=_messages.Run.SerializeToString,
        ),
        "Resume": grpc.unary_unary_rpc_method_handler(
            servicer.Resume,
            request_deserializer=_messages.RunName.FromString,
            response_serializer=_messages.Run.SerializeToString,
        ),
        "ListRuns": grpc.unary_unary_rpc_method_handler(
            servicer.ListRuns,
            request_deserializer=_messages.ListRunsRequest.FromString,
            response_serializer=_messages.RunList.SerializeToString,
        ),
        "Watch": grpc.unary_stream_rpc_method_handler(
            servicer.Watch,
            request_deserializer=_messages.RunName.FromString,
            response_serializer=_messages.Run.SerializeToString,
        ),
        "GetStatistics": grpc.unary_unary_rpc_method_handler(
            servicer.GetStatistics,
            request_deserializer=_messages.RunName.FromString,
            response_serializer=_messages.Statistics.SerializeToString,
        ),
        "Sample": grpc.unary_stream_rpc_method_handler(
            servicer.Sample,
            request_deserializer=_messages.SampleRequest.FromString,
            response_serializer=_messages.SampledMessage.SerializeToString,
        ),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("slipway.orchestrator.v1.Control", handlers),))
