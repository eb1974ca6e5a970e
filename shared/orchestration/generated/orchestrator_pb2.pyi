from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class OrchestrationConfiguration(_message.Message):
    __slots__ = ("blueprint", "dockerinfo", "protofiles", "queuesize", "iterations")
    class ProtofilesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    BLUEPRINT_FIELD_NUMBER: _ClassVar[int]
    DOCKERINFO_FIELD_NUMBER: _ClassVar[int]
    PROTOFILES_FIELD_NUMBER: _ClassVar[int]
    QUEUESIZE_FIELD_NUMBER: _ClassVar[int]
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    blueprint: str
    dockerinfo: str
    protofiles: _containers.ScalarMap[str, str]
    queuesize: int
    iterations: int
    def __init__(self, blueprint: _Optional[str] = ..., dockerinfo: _Optional[str] = ..., protofiles: _Optional[_Mapping[str, str]] = ..., queuesize: _Optional[int] = ..., iterations: _Optional[int] = ...) -> None: ...

class OrchestrationStatus(_message.Message):
    __slots__ = ("success", "code", "message", "active_threads")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_THREADS_FIELD_NUMBER: _ClassVar[int]
    success: bool
    code: int
    message: str
    active_threads: int
    def __init__(self, success: _Optional[bool] = ..., code: _Optional[int] = ..., message: _Optional[str] = ..., active_threads: _Optional[int] = ...) -> None: ...

class OrchestrationObservationConfiguration(_message.Message):
    __slots__ = ("name_regex", "component_regex")
    NAME_REGEX_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_REGEX_FIELD_NUMBER: _ClassVar[int]
    name_regex: str
    component_regex: str
    def __init__(self, name_regex: _Optional[str] = ..., component_regex: _Optional[str] = ...) -> None: ...

class OrchestrationEvent(_message.Message):
    __slots__ = ("run", "name", "component", "detail")
    class DetailEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    RUN_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    run: str
    name: str
    component: str
    detail: _containers.ScalarMap[str, str]
    def __init__(self, run: _Optional[str] = ..., name: _Optional[str] = ..., component: _Optional[str] = ..., detail: _Optional[_Mapping[str, str]] = ...) -> None: ...

class RunLabel(_message.Message):
    __slots__ = ("label",)
    LABEL_FIELD_NUMBER: _ClassVar[int]
    label: str
    def __init__(self, label: _Optional[str] = ...) -> None: ...
