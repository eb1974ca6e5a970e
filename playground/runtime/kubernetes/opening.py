"""Opens the kubernetes runtime with what the environment says."""

from __future__ import annotations

import os
from collections.abc import Callable

import httpx2
from lightkube import Client, KubeConfig
from lightkube.core.exceptions import ConfigError

from playground.runtime.kubernetes import credentials, guard, words
from playground.runtime.kubernetes.admission import Rules
from playground.runtime.kubernetes.api import Api
from playground.runtime.kubernetes.applying import Applier
from playground.runtime.kubernetes.cache import Cache
from playground.runtime.kubernetes.cluster import Cluster
from playground.runtime.kubernetes.codes import Codes
from playground.runtime.kubernetes.lease import Lease
from playground.runtime.kubernetes.logs import Logs
from playground.runtime.kubernetes.packs import Packs
from playground.runtime.kubernetes.reach import Reach
from playground.runtime.kubernetes.reconciler import Reconciler
from playground.runtime.kubernetes.records import Records
from playground.runtime.kubernetes.runtime import KubernetesRuntime, Parts
from playground.runtime.kubernetes.settings import Settings
from playground.runtime.kubernetes.shared_folder import SharedFolders
from playground.runtime.kubernetes.views import Views
from playground.runtime.turns import Limits
from shared.errors import SettingsError
from shared.persistence.s3 import S3Store
from shared.settings import load

_CALL_SECONDS = 20.0
MakeCluster = Callable[[Api], Cluster]


def opened() -> KubernetesRuntime:
    """Return the runtime of the cluster that the environment leads to.

    Raises:
        SettingsError: a setting is wrong, or no cluster is to be found.
    """
    runtime = made(load(Settings, os.environ))
    runtime.start()
    return runtime


def made(settings: Settings, *, cluster_of: MakeCluster = Cluster) -> KubernetesRuntime:
    """Return the runtime, not started; `cluster_of` makes what the short calls go through."""
    client = _client(settings)
    namespace = settings.namespace or client.namespace
    limits = Limits(settings.running, settings.running_per_owner, settings.kept_per_owner)
    rules = Rules(
        registries=settings.registries,
        node_ports=settings.node_ports,
        borders=guard.borders(settings, namespace),
        container_memory=settings.container_memory_limit,
    )
    cluster = cluster_of(Api(client.config))
    cache = Cache(client, installation=settings.installation)
    records = Records(cluster, cache, settings)
    bucket = _bucket(settings)
    packs = Packs(cluster, settings.installation, bucket)
    applier = Applier(cluster, cache, packs, settings, rules)
    lease = Lease(cluster, settings.installation, namespace)
    logs = Logs(client, cache)
    folders = SharedFolders(
        client,
        cache,
        installation=settings.installation,
        image=settings.helper_image,
        pull_secrets=[
            secret["metadata"]["name"] for secret in credentials.for_image(settings.helper_image, settings.logins)
        ],
    )
    reconciler = Reconciler(
        cluster,
        cache,
        records,
        packs=packs,
        applier=applier,
        lease=lease,
        tidy=folders.tidy,
        limits=limits,
        workers=settings.workers,
    )
    reach = Reach(client, cache, is_inside=settings.is_inside)

    def end() -> None:
        for each in (cache, folders, logs, reach, cluster, client):
            each.close()
        if bucket:
            bucket.close()

    codes = Codes(client, namespace=namespace, installation=settings.installation)
    parts = Parts(
        cluster=cluster,
        cache=cache,
        records=records,
        packs=packs,
        applier=applier,
        lease=lease,
        reconciler=reconciler,
        views=Views(cache),
        logs=logs,
        folders=folders,
        reach=reach,
        codes=codes,
        end=end,
    )
    return KubernetesRuntime(parts, rules=rules, limits=limits, installation=settings.installation)


def _bucket(settings: Settings) -> S3Store | None:
    if not settings.history_bucket:
        return None
    return S3Store(settings.history_bucket, "", endpoint_url=settings.history_endpoint or None)


def _client(settings: Settings) -> Client:
    try:
        config = KubeConfig.from_file(settings.kubeconfig) if settings.kubeconfig else KubeConfig.from_env()
        return Client(
            config.get(), timeout=httpx2.Timeout(_CALL_SECONDS), field_manager=words.FIELD_MANAGER, trust_env=False
        )
    except (ConfigError, OSError) as problem:
        expected = "SLIPWAY_PLAYGROUND_KUBECONFIG or KUBECONFIG that leads to a cluster, or to run in one"
        raise SettingsError(f"SLIPWAY_PLAYGROUND_RUNTIME=kubernetes: expected {expected}") from problem
