"""The REST API of Kubeflow Pipelines (v2beta1) with the standard library: a token, limits, and calls that are repeated only where that is safe."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any, Dict, Iterator, List, Optional
from urllib.parse import quote, urlencode, urlsplit

from shared.finishing.kubeflow_answers import parts_of, text_of
from shared.finishing.names import UsageError

API = "/apis/v2beta1"
ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 20.0
TIMEOUT_SECONDS = 60.0
LONGEST_ANSWER = 64 * 1024 * 1024  # runs carry the whole pipeline
PART_OF_ANSWER = 1000
PAGE = 100
MOST_PAGES = 1000
LONGEST_PAGE_TOKEN = 10_000
# The server has not done what it was asked for, and says so.
REFUSED_FOR_NOW = (429, 503)
# Somebody in between does not know whether it has.
UNSURE = (500, 502, 504)
NOT_FOUND = 404
BOUNDARY = "slipway-4f1c0f5e1e7d4b0e"
LOCAL = ("localhost", "127.0.0.1", "::1")


class KubeflowError(Exception):
    """The API did not do what it was asked for."""

    def __init__(self, message: str, *, status: int = 0, is_unsure: bool = False) -> None:
        """Keep the status, 0 where there was no answer, and whether it may have been done all the same."""
        super().__init__(message)
        self.status = status
        self.is_unsure = is_unsure


class Kubeflow:
    """One API and one namespace."""

    def __init__(self, url: str, *, namespace: str, token: str) -> None:
        """Remember where and as whom.

        Raises:
            UsageError: the address is none, or would carry the token in the clear.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise UsageError(f"--url: expected http(s)://HOST[:PORT][/PATH], found {url!r}")
        if token and parts.scheme == "http" and parts.hostname not in LOCAL:
            raise UsageError("--url: expected https where a token is sent; http only to this machine")
        if any(ord(c) <= ord(" ") or ord(c) > ord("~") for c in token):
            raise UsageError("expected a token of one line of ASCII")
        self.namespace = namespace
        self._parts = parts
        self._token = token

    def get(self, path: str, **query: str) -> Dict[str, Any]:
        """Return an object; asked again until somebody answers."""
        return self._call("GET", path, query, is_repeatable=True)

    def find(self, path: str, **query: str) -> Optional[Dict[str, Any]]:
        """Return an object, or None when there is none."""
        try:
            return self.get(path, **query)
        except KubeflowError as problem:
            if problem.status == NOT_FOUND:
                return None
            raise

    def all(self, path: str, key: str, **query: str) -> Iterator[Dict[str, Any]]:
        """Yield the objects of all pages.

        Raises:
            KubeflowError: the pages have no end.
        """
        token = ""
        seen = {token}
        while True:
            page = self.get(path, page_size=str(PAGE), page_token=token, **query)
            yield from parts_of(page, key)
            token = text_of(page, "next_page_token")
            if not token:
                return
            if token in seen or len(seen) >= MOST_PAGES or len(token) > LONGEST_PAGE_TOKEN:
                raise KubeflowError(f"GET {path}: expected at most {MOST_PAGES} pages, each of them once")
            seen.add(token)

    def post(self, path: str, body: Dict[str, Any], *, is_repeatable: bool = False) -> Dict[str, Any]:
        """Create an object, or act on one. What may have been done is done again only if that changes nothing."""
        return self._call("POST", path, {}, json.dumps(body).encode(), is_repeatable=is_repeatable)

    def upload(self, path: str, file_name: str, content: bytes, **query: str) -> Dict[str, Any]:
        """Upload a file."""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="uploadfile"; filename="{file_name}"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
        body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        return self._call("POST", path, query, body, f"multipart/form-data; boundary={BOUNDARY}")

    def delete(self, path: str, **query: str) -> bool:
        """Delete an object, and answer whether it was there."""
        try:
            self._call("DELETE", path, query, is_repeatable=True)
        except KubeflowError as problem:
            if problem.status != NOT_FOUND:
                raise
            return False
        return True

    def _call(
        self,
        method: str,
        path: str,
        query: Dict[str, str],
        body: Optional[bytes] = None,
        kind: str = "application/json",
        *,
        is_repeatable: bool = False,
    ) -> Dict[str, Any]:
        given = {name: value for name, value in query.items() if value}
        target = self._parts.path.rstrip("/") + API + path + (f"?{urlencode(given)}" if given else "")
        for attempt in range(ATTEMPTS):
            try:
                return self._once(method, target, body, kind)
            except KubeflowError as problem:
                may_repeat = problem.status in REFUSED_FOR_NOW or (problem.is_unsure and is_repeatable)
                if not may_repeat or attempt == ATTEMPTS - 1:
                    raise
            time.sleep(min(FIRST_PAUSE_SECONDS * 2**attempt, LONGEST_PAUSE_SECONDS))
        raise AssertionError("the last attempt returns or raises")

    def _once(self, method: str, target: str, body: Optional[bytes], kind: str) -> Dict[str, Any]:
        secure = self._parts.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = connect(str(self._parts.hostname), self._parts.port, timeout=TIMEOUT_SECONDS)
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = kind
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            content = answer.read(LONGEST_ANSWER + 1)
        except (OSError, http.client.HTTPException) as problem:
            where = f"{self._parts.scheme}://{self._parts.netloc}"
            raise KubeflowError(
                f"{where} did not answer: {str(problem) or type(problem).__name__}", is_unsure=True
            ) from problem
        finally:
            connection.close()
        return read_answer(method, target, answer.status, content)


def read_answer(method: str, target: str, status: int, content: bytes) -> Dict[str, Any]:
    """Return the object that an answer carries.

    Raises:
        KubeflowError: it is no success, or carries none; a page for people means that somebody wants a login.
    """
    path = target.partition("?")[0]
    if status < 200 or status >= 300:  # noqa: PLR2004 - the classes of HTTP
        told = f"{method} {path}: status {status}: {reason_in(content)}"
        if status in (301, 302, 303, 307, 308, 401):
            told += "\nKubeflow wants to know who you are: set KUBEFLOW_TOKEN, or --token-file"
        raise KubeflowError(told, status=status, is_unsure=status in UNSURE)
    if len(content) > LONGEST_ANSWER:
        raise KubeflowError(f"{method} {path}: expected at most {LONGEST_ANSWER} bytes")
    try:
        found = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise KubeflowError(f"{method} {path}: expected JSON, found {content[:60]!r}: is --url the address of the API?")
    return found


def reason_in(content: bytes) -> str:
    """Return what an error's body says, shortened."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    told = found.get("error_message") or found.get("message") if isinstance(found, dict) else None
    return (told if isinstance(told, str) else content.decode("utf-8", "replace"))[:PART_OF_ANSWER].strip()


def path_of(*parts: str) -> str:
    """Return a path; no part can leave its place."""
    return "".join("/" + quote(part, safe=":") for part in parts)


def named(found: Iterator[Dict[str, Any]], name: str) -> List[Dict[str, Any]]:
    """Return the objects with this name for people, oldest first."""
    same = [each for each in found if each.get("display_name") == name]
    return sorted(same, key=lambda each: text_of(each, "created_at"))
