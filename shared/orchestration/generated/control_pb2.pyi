from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATE_UNSPECIFIED: _ClassVar[State]
    RUNNING: _ClassVar[State]
    PAUSED: _ClassVar[State]
    DRAINING: _ClassVar[State]
    COMPLETED: _ClassVar[State]
    STOPPED: _ClassVar[State]
    FAILED: _ClassVar[State]
STATE_UNSPECIFIED: State
RUNNING: State
PAUSED: State
DRAINING: State
COMPLETED: State
STOPPED: State
FAILED: State

class RunName(_message.Message):
    __slots__ = ("label",)
    LABEL_FIELD_NUMBER: _ClassVar[int]
    label: str
    def __init__(self, label: _Optional[str] = ...) -> None: ...

class StartRequest(_message.Message):
    __slots__ = ("label", "iterations")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    label: str
    iterations: int
    def __init__(self, label: _Optional[str] = ..., iterations: _Optional[int] = ...) -> None: ...

class StopRequest(_message.Message):
    __slots__ = ("label", "drain", "grace_seconds")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    GRACE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    label: str
    drain: bool
    grace_seconds: float
    def __init__(self, label: _Optional[str] = ..., drain: _Optional[bool] = ..., grace_seconds: _Optional[float] = ...) -> None: ...

class ListRunsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RunList(_message.Message):
    __slots__ = ("runs",)
    RUNS_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[Run]
    def __init__(self, runs: _Optional[_Iterable[_Union[Run, _Mapping]]] = ...) -> None: ...

class Run(_message.Message):
    __slots__ = ("label", "state", "active_operations", "reason", "started_at", "ended_at", "account")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    label: str
    state: State
    active_operations: int
    reason: str
    started_at: float
    ended_at: float
    account: Account
    def __init__(self, label: _Optional[str] = ..., state: _Optional[_Union[State, str]] = ..., active_operations: _Optional[int] = ..., reason: _Optional[str] = ..., started_at: _Optional[float] = ..., ended_at: _Optional[float] = ..., account: _Optional[_Union[Account, _Mapping]] = ...) -> None: ...

class Account(_message.Message):
    __slots__ = ("entered", "delivered", "dead_lettered", "dropped", "undelivered", "redelivered", "unconfirmed")
    ENTERED_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    UNDELIVERED_FIELD_NUMBER: _ClassVar[int]
    REDELIVERED_FIELD_NUMBER: _ClassVar[int]
    UNCONFIRMED_FIELD_NUMBER: _ClassVar[int]
    entered: int
    delivered: int
    dead_lettered: int
    dropped: int
    undelivered: int
    redelivered: int
    unconfirmed: int
    def __init__(self, entered: _Optional[int] = ..., delivered: _Optional[int] = ..., dead_lettered: _Optional[int] = ..., dropped: _Optional[int] = ..., undelivered: _Optional[int] = ..., redelivered: _Optional[int] = ..., unconfirmed: _Optional[int] = ...) -> None: ...

class Statistics(_message.Message):
    __slots__ = ("operations", "edges")
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    operations: _containers.RepeatedCompositeFieldContainer[OperationStatistics]
    edges: _containers.RepeatedCompositeFieldContainer[EdgeStatistics]
    def __init__(self, operations: _Optional[_Iterable[_Union[OperationStatistics, _Mapping]]] = ..., edges: _Optional[_Iterable[_Union[EdgeStatistics, _Mapping]]] = ...) -> None: ...

class OperationStatistics(_message.Message):
    __slots__ = ("node", "operation", "active", "calls", "failures", "retries", "latency_seconds", "last_error", "parked")
    NODE_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    RETRIES_FIELD_NUMBER: _ClassVar[int]
    LATENCY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    PARKED_FIELD_NUMBER: _ClassVar[int]
    node: str
    operation: str
    active: bool
    calls: int
    failures: int
    retries: int
    latency_seconds: float
    last_error: str
    parked: int
    def __init__(self, node: _Optional[str] = ..., operation: _Optional[str] = ..., active: _Optional[bool] = ..., calls: _Optional[int] = ..., failures: _Optional[int] = ..., retries: _Optional[int] = ..., latency_seconds: _Optional[float] = ..., last_error: _Optional[str] = ..., parked: _Optional[int] = ...) -> None: ...

class EdgeStatistics(_message.Message):
    __slots__ = ("source", "source_operation", "target", "target_operation", "messages", "bytes", "messages_per_second", "queued_messages", "queued_bytes", "spilled_messages", "dropped")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_OPERATION_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    TARGET_OPERATION_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    QUEUED_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    QUEUED_BYTES_FIELD_NUMBER: _ClassVar[int]
    SPILLED_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    source: str
    source_operation: str
    target: str
    target_operation: str
    messages: int
    bytes: int
    messages_per_second: float
    queued_messages: int
    queued_bytes: int
    spilled_messages: int
    dropped: int
    def __init__(self, source: _Optional[str] = ..., source_operation: _Optional[str] = ..., target: _Optional[str] = ..., target_operation: _Optional[str] = ..., messages: _Optional[int] = ..., bytes: _Optional[int] = ..., messages_per_second: _Optional[float] = ..., queued_messages: _Optional[int] = ..., queued_bytes: _Optional[int] = ..., spilled_messages: _Optional[int] = ..., dropped: _Optional[int] = ...) -> None: ...

class SampleRequest(_message.Message):
    __slots__ = ("label", "source", "source_operation", "target", "target_operation", "count")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_OPERATION_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    TARGET_OPERATION_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    label: str
    source: str
    source_operation: str
    target: str
    target_operation: str
    count: int
    def __init__(self, label: _Optional[str] = ..., source: _Optional[str] = ..., source_operation: _Optional[str] = ..., target: _Optional[str] = ..., target_operation: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class SampledMessage(_message.Message):
    __slots__ = ("json", "size", "truncated")
    JSON_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    json: str
    size: int
    truncated: bool
    def __init__(self, json: _Optional[str] = ..., size: _Optional[int] = ..., truncated: _Optional[bool] = ...) -> None: ...
