"""Where packages are, and how to get there, by pip's settings."""

from __future__ import annotations

import base64
import html.parser
import http.client
import importlib.util
import os
import ssl
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

DEFAULT_INDEX = "https://pypi.org/simple"

# How to reach an index is the user's business. Everything else that can be set for pip is about other installations.
PIP_SETTINGS_KEPT = {
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_CONFIG_FILE",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_KEYRING_PROVIDER",
    "PIP_NO_CACHE_DIR",
    "PIP_NO_INDEX",
    "PIP_PROXY",
    "PIP_RETRIES",
    "PIP_TIMEOUT",
    "PIP_TRUSTED_HOST",
}

TIMEOUT_SECONDS = 60
# How often in a row a download that stops is taken up again where it was.
RETRIES = 5

# What a connection gives: `urllib` names no class that all kinds of address share.
Answer = Any
Opener = Callable[[str, Mapping[str, str]], Answer]


class Index:
    """Where packages are, and how to get there, by pip's settings."""

    def __init__(self, configured: bool = True) -> None:
        """Reads the settings; of files only where that is wanted."""
        settings = configuration() if configured else environment_settings()
        self.indexes = []
        if settings.get("no-index", "").lower() not in ("1", "true", "yes", "on"):
            self.indexes = [settings.get("index-url") or DEFAULT_INDEX, *settings.get("extra-index-url", "").split()]
        self.beside = settings.get("find-links", "").split()
        self.trusted = set(settings.get("trusted-host", "").split())
        self.timeout = float(settings.get("default-timeout") or settings.get("timeout") or TIMEOUT_SECONDS)
        self.proxies = {scheme: settings["proxy"] for scheme in ("http", "https")} if settings.get("proxy") else None
        self.certificates = settings.get("cert") or certificates_of_pip()
        self.client = settings.get("client-cert")
        self.retries = int(settings.get("retries") or RETRIES)

    def links(self, archive: Mapping[str, Any]) -> Iterator[tuple[Opener, str]]:
        """Where a file can be had: pairs of what opens it and its address. Raises where no index answers."""
        name = archive["name"]
        for place in self.beside:
            local = Path(urllib.request.url2pathname(place.removeprefix("file://"))).expanduser()
            if "://" not in place.removeprefix("file://") and (local / name).is_file():
                yield self.open, (local / name).resolve().as_uri()
        failure: OSError | None = None
        pages = [f"{index.rstrip('/')}/{archive['project']}/" for index in self.indexes]
        for page in [place for place in self.beside if place.startswith("http")] + pages:
            try:
                with self.open(page, {"Accept": "text/html"}) as answer:
                    text, url = answer.read().decode("utf-8", "replace"), answer.url
            except (OSError, ValueError, http.client.HTTPException) as error:
                failure = failure or OSError(f"{address(page)}: {plain(error)}")
                continue
            links = Links()
            links.feed(text)
            for link in links.found:
                if urllib.parse.urlsplit(link).path.endswith("/" + name):
                    yield self.open, urllib.parse.urljoin(with_login(url, page), link)
        if failure is not None:
            raise failure

    def open(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Connects, with what the settings say."""
        parts = urllib.parse.urlsplit(url)
        request = urllib.request.Request(url, headers=headers)
        if parts.username is not None:
            # urllib does not read a name and a password out of an address.
            user = urllib.parse.unquote(parts.username) + ":" + urllib.parse.unquote(parts.password or "")
            host = parts.netloc.rpartition("@")[2]
            request = urllib.request.Request(urllib.parse.urlunsplit(parts._replace(netloc=host)), headers=headers)
            request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
        context = ssl.create_default_context(cafile=self.certificates)
        if self.client:
            context.load_cert_chain(self.client)
        if self.trusted & {parts.hostname, f"{parts.hostname}:{parts.port}"}:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler(self.proxies), urllib.request.HTTPSHandler(context=context)
        )
        return opener.open(request, timeout=self.timeout)


def plain(error: BaseException) -> str:
    """What the system says, without what urllib puts around it."""
    error = getattr(error, "reason", None) or error
    return getattr(error, "strerror", None) or str(error)


def address(url: str) -> str:
    """An address without what is secret."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def with_login(url: str, asked: str) -> str:
    """An answer's address has lost the login with which it was asked for; what is beside it on that host needs it
    too."""
    parts, login = urllib.parse.urlsplit(url), urllib.parse.urlsplit(asked).netloc.rpartition("@")
    same = login[1] and parts.netloc == login[2]
    return urllib.parse.urlunsplit(parts._replace(netloc="".join(login))) if same else url


def configuration() -> dict[str, str]:
    """pip's own view of its settings: files and environment. What is meant for one command alone is not."""
    if importlib.util.find_spec("pip") is None:
        return environment_settings()
    command = [sys.executable, "-I", "-m", "pip", "config", "list", "--disable-pip-version-check"]
    output = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, cwd="/").stdout
    settings = {}
    for line in output.decode(errors="replace").splitlines():
        key, equals, value = line.partition("=")
        section, dot, name = key.rpartition(".")
        if equals and section in ("global", "download"):
            # As Python writes a text.
            settings[name] = value[1:-1].replace("\\n", " ")
    return {**settings, **environment_settings()}


def environment_settings() -> dict[str, str]:
    """The settings in variables, under the names that they have in files."""
    return {
        name.removeprefix("PIP_").lower().replace("_", "-"): value
        for name, value in os.environ.items()
        if name in PIP_SETTINGS_KEPT and value
    }


def certificates_of_pip() -> str | None:
    """Some Pythons know no certificates at all; pip brings its own."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        return None
    try:
        from pip._vendor import certifi

        return certifi.where()
    except ImportError:
        return None


class Links(html.parser.HTMLParser):
    """Collects the links of a page."""

    def __init__(self) -> None:
        """Begins with none."""
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Takes the target of a link."""
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]
