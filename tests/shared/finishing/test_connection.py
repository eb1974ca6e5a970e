"""What the words of kubectl mean."""

from __future__ import annotations

import pytest

from shared.finishing import connection


@pytest.mark.parametrize(
    "told",
    [
        "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?",
        "Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout",
        "Unable to connect to the server: net/http: TLS handshake timeout",
        "Unable to connect to the server: net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
        "Unable to connect to the server: EOF",
        'error when patching "STDIN": Patch "https://10.0.0.1:6443/api": dial tcp 10.0.0.1:6443: connect: connection refused',
        "Error from server (ServiceUnavailable): the server is currently unable to handle the request",
        "Error from server: etcdserver: leader changed",
        'Error from server (Conflict): Operation cannot be fulfilled on resourcequotas "most": please try again',
        'Error from server (Forbidden): namespaces "x" is forbidden: not yet ready to handle request',
        "Unable to connect to the server: http2: client connection lost",
        "Unable to connect to the server: dial tcp: lookup cluster.example on 10.0.0.53:53: no such host",
        "Error from server (TooManyRequests): the server has received too many requests and has asked us to try again later",
    ],
)
def test_a_cluster_that_is_away_is_worth_another_try(told: str):
    assert connection.is_passing(told)


@pytest.mark.parametrize(
    "told",
    [
        "",
        'Error from server (NotFound): deployments.apps "a" not found',
        'Error from server (Forbidden): services is forbidden: User "me" cannot list resource',
        "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "The connection to the server localhost:8080 was refused - did you specify the right host or port?",
        "error: You must be logged in to the server (Unauthorized)",
        'The Service "a" is invalid: spec.ports: Required value',
    ],
)
def test_what_stays_wrong_is_not_repeated(told: str):
    assert not connection.is_passing(told)


def test_somebody_without_a_kubeconfig_or_a_login_is_recognised():
    assert connection.knows_no_cluster("The connection to the server localhost:8080 was refused - did you specify …?")
    assert not connection.knows_no_cluster("The connection to the server 10.0.0.1:8080 was refused")
    assert connection.wants_login("error: You must be logged in to the server (Unauthorized)")


@pytest.mark.parametrize(
    "told",
    [
        'Error from server (AlreadyExists): object is being deleted: namespaces "x" already exists',
        'services "a" is forbidden: unable to create new content in namespace x because it is being terminated',
    ],
)
def test_a_namespace_that_is_being_deleted_is_recognised(told: str):
    assert connection.is_terminating(told)
    assert not connection.is_terminating('Error from server (AlreadyExists): namespaces "x" already exists')


@pytest.mark.parametrize("limit", ["must have at most 262144 bytes", "may not be more than 262144 bytes"])
def test_an_object_too_large_for_its_copy_is_recognised(limit: str):
    assert connection.is_too_large_to_copy(f'The ConfigMap "a" is invalid: metadata.annotations: Too long: {limit}')
    assert not connection.is_too_large_to_copy('The ConfigMap "a" is invalid: []: Too long: must have at most 1048576')


def test_jobs_and_claims_that_cannot_change_are_found_among_other_words():
    told = (
        'The Job "loader" is invalid: spec.template: Invalid value: {"metadata":{}}: field is immutable\n'
        'The Job "bad" is invalid: spec.backoffLimit: Invalid value: -1\n'
        'The PersistentVolumeClaim "shared-folder" is invalid: spec: Forbidden: spec is immutable after creation\n'
        'Error from server (Forbidden): persistentvolumeclaims "data" is forbidden: only dynamically provisioned pvc can '
        "be resized and the storageclass that provisions the pvc must support resize"
    )

    assert connection.unchangeable_jobs(told) == ["loader"]
    assert connection.unchangeable_claims(told) == ["data", "shared-folder"]


def test_words_are_without_log_lines_and_not_too_many():
    told = 'E1121 05:02:46.435174   10468 memcache.go:265] "Unhandled Error"\nerror: no\n'

    assert connection.in_words(told) == "error: no"
    assert connection.in_words("x" * 5000) == "x" * 1000 + "\n...\n" + "x" * 1000
