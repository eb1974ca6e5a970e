"""Generated from orchestrator.proto by shared/orchestration/regenerate.py; never edited by hand."""

import grpc

try:  # a module of a package here, a plain file beside this one in a bundle
    from . import orchestrator_pb2 as _messages
except ImportError:
    import orchestrator_pb2 as _messages


class OrchestratorStub:
    def __init__(self, channel):
        self.initialize = channel.unary_unary(
            "/Orchestrator/initialize",
            request_serializer=_messages.OrchestrationConfiguration.SerializeToString,
            response_deserializer=_messages.OrchestrationStatus.FromString,
        )
        self.run = channel.unary_unary(
            "/Orchestrator/run",
            request_serializer=_messages.RunLabel.SerializeToString,
            response_deserializer=_messages.OrchestrationStatus.FromString,
        )
        self.observe = channel.unary_stream(
            "/Orchestrator/observe",
            request_serializer=_messages.OrchestrationObservationConfiguration.SerializeToString,
            response_deserializer=_messages.OrchestrationEvent.FromString,
        )
        self.get_status = channel.unary_unary(
            "/Orchestrator/get_status",
            request_serializer=_messages.RunLabel.SerializeToString,
            response_deserializer=_messages.OrchestrationStatus.FromString,
        )
        self.stop_orchestration = channel.unary_unary(
            "/Orchestrator/stop_orchestration",
            request_serializer=_messages.RunLabel.SerializeToString,
            response_deserializer=_messages.OrchestrationStatus.FromString,
        )


class OrchestratorServicer:
    def initialize(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "initialize is not implemented")

    def run(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "run is not implemented")

    def observe(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "observe is not implemented")

    def get_status(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "get_status is not implemented")

    def stop_orchestration(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "stop_orchestration is not implemented")


def add_OrchestratorServicer_to_server(servicer, server):
    handlers = {
        "initialize": grpc.unary_unary_rpc_method_handler(
            servicer.initialize,
            request_deserializer=_messages.OrchestrationConfiguration.FromString,
            response_serializer=_messages.OrchestrationStatus.SerializeToString,
        ),
        "run": grpc.unary_unary_rpc_method_handler(
            servicer.run,
            request_deserializer=_messages.RunLabel.FromString,
            response_serializer=_messages.OrchestrationStatus.SerializeToString,
        ),
        "observe": grpc.unary_stream_rpc_method_handler(
            servicer.observe,
            request_deserializer=_messages.OrchestrationObservationConfiguration.FromString,
            response_serializer=_messages.OrchestrationEvent.SerializeToString,
        ),
        "get_status": grpc.unary_unary_rpc_method_handler(
            servicer.get_status,
            request_deserializer=_messages.RunLabel.FromString,
            response_serializer=_messages.OrchestrationStatus.SerializeToString,
        ),
        "stop_orchestration": grpc.unary_unary_rpc_method_handler(
            servicer.stop_orchestration,
            request_deserializer=_messages.RunLabel.FromString,
            response_serializer=_messages.OrchestrationStatus.SerializeToString,
        ),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("Orchestrator", handlers),))
