"""Stores that speak the S3 API: AWS S3, MinIO, Ceph, R2 and the like.

The rules across options are each system's own, in its own words (materialize.md 5.1, singlestore.md 2.1, databend.md
section 3, clickzetta.md 2.1). What the gateway cannot honour yet (roles, server-side encryption, ...) is stored and
shown, but a connection that asks for it is not used: silently leaving it out would be worse than an error.
"""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING, Final

from fairlead.connectors import checks
from fairlead.connectors.checks import Probe, Skipped, Step
from fairlead.connectors.declaration import (
    Category,
    Complaint,
    Connector,
    Given,
    Masking,
    OptionSpec,
    Rule,
    Spelling,
    Words,
)
from fairlead.connectors.locations import parse_url
from fairlead.connectors.store import S3Target
from fairlead.errors import InvalidParameter
from fairlead.sensitive import Sensitive

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_REGION: Final = "us-east-1"
_GLOBAL_ENDPOINTS: Final = frozenset({"https://s3.amazonaws.com", "https://s3.amazonaws.com.cn"})
_EXTERNAL_ID_LENGTH: Final = 16
_ROLE_LATER: Final = "roles are assumed by a later release; give ACCESS KEY ID and SECRET ACCESS KEY"
_ENCRYPTION_LATER: Final = "encryption headers are sent by a later release; without them data would be written in clear"
_PAYER_LATER: Final = "requester-pays requests are sent by a later release"
_AMBIENT_LATER: Final = "the gateway's own cloud identity is used by a later release; give an access key"
_SSE: Final = "x-amz-server-side-encryption"


def _credential(name: str, *, either_clause: bool = False) -> Words:
    return Words(name, clause="CREDENTIALS", either_clause=either_clause)


def _config(name: str, *, either_clause: bool = False) -> Words:
    return Words(name, clause="CONFIG", either_clause=either_clause)


_OPTIONS: Final = (
    OptionSpec(
        "access_key_id",
        "Name of the access key. Together with secret_access_key; without both, requests are not signed.",
        {
            "materialize": Words("ACCESS KEY ID", form="text or secret"),
            "singlestore": _credential("aws_access_key_id"),
            "databend": Words("access_key_id", ("aws_key_id",)),
            "clickzetta": Words("ACCESS_KEY", ("ACCESS_KEY_ID", "ACCESS_ID"), shown="ACCESS_ID"),
        },
        masking=Masking.IDENTITY,
    ),
    OptionSpec(
        "secret_access_key",
        "The secret of the access key.",
        {
            "materialize": Words("SECRET ACCESS KEY", form="secret"),
            "singlestore": _credential("aws_secret_access_key"),
            "databend": Words("secret_access_key", ("aws_secret_key",)),
            "clickzetta": Words("SECRET_KEY", ("SECRET_ACCESS_KEY",)),
        },
        masking=Masking.SECRET,
    ),
    OptionSpec(
        "session_token",
        "Token of a temporary access key.",
        {
            "materialize": Words("SESSION TOKEN", form="text or secret"),
            "singlestore": _credential("aws_session_token"),
            "databend": Words("session_token", ("aws_token", "security_token")),
            "clickzetta": Words("SESSION_TOKEN"),
        },
        masking=Masking.SECRET,
    ),
    OptionSpec(
        "region",
        "Region that requests are signed for.",
        {
            "materialize": Words("REGION"),
            "singlestore": _config("region"),
            "databend": Words("region"),
            "clickzetta": Words("REGION"),
        },
        kind="region",
        default=DEFAULT_REGION,
    ),
    OptionSpec(
        "endpoint",
        "Address of a store other than AWS: https://host[:port]; https is meant where no scheme is given.",
        {
            "materialize": Words("ENDPOINT"),
            "singlestore": _config("endpoint_url"),
            "databend": Words("endpoint_url"),
            "clickzetta": Words("ENDPOINT"),
        },
        kind="endpoint",
    ),
    OptionSpec(
        "path_style",
        "Whether the bucket stands in the path, not in the host name.",
        {
            "materialize": Words("PATH STYLE"),
            "singlestore": _config("s3_force_path_style"),
            "databend": Words("enable_virtual_host_style", inverted=True),
            "clickzetta": Words("PATH_STYLE"),
        },
        kind="boolean",
        default="true",
    ),
    OptionSpec(
        "role_arn",
        "Role to assume.",
        {
            "materialize": Words("ASSUME ROLE ARN"),
            "singlestore": _credential("role_arn"),
            "databend": Words("role_arn", ("aws_role_arn",)),
            "clickzetta": Words("ROLE_ARN"),
        },
        pending=_ROLE_LATER,
    ),
    OptionSpec(
        "role_session_name",
        "Name of the session of an assumed role.",
        {"materialize": Words("ASSUME ROLE SESSION NAME")},
    ),
    OptionSpec(
        "external_id",
        "Sent when the role is assumed; the role's trust policy asks for it.",
        {
            "materialize": Words("EXTERNAL ID", form="text or secret"),
            "singlestore": _credential("external_id"),
            "databend": Words("external_id", ("aws_external_id",)),
            "clickzetta": Words("EXTERNAL_ID", typed=False),
        },
        masking=Masking.SECRET,
        plain_in=frozenset({"clickzetta"}),
    ),
    OptionSpec(
        "master_key",
        "Key of client-side encryption.",
        {"databend": Words("master_key")},
        masking=Masking.SECRET,
        pending=_ENCRYPTION_LATER,
    ),
    OptionSpec(
        "server_side_encryption",
        "Encryption that the store is asked for: AES256 or aws:kms.",
        {"singlestore": _config(_SSE)},
        pending=_ENCRYPTION_LATER,
    ),
    OptionSpec(
        "sse_kms_key_id",
        "KMS key of server-side encryption.",
        {"singlestore": _config(f"{_SSE}-aws-kms-key-id")},
    ),
    OptionSpec(
        "sse_customer_algorithm",
        "Algorithm of encryption with a customer's key.",
        {"singlestore": _config(f"{_SSE}-customer-algorithm")},
        pending=_ENCRYPTION_LATER,
    ),
    OptionSpec(
        "sse_customer_key",
        "The customer's key.",
        {"singlestore": _config(f"{_SSE}-customer-key", either_clause=True)},
        masking=Masking.SECRET,
    ),
    OptionSpec(
        "sse_customer_key_md5",
        "Checksum of the customer's key.",
        {"singlestore": _config(f"{_SSE}-customer-key-MD5")},
    ),
    OptionSpec(
        "sts_regional_endpoints",
        "Which endpoint gives out temporary keys.",
        {"singlestore": _config("sts_regional_endpoints")},
        choices=("regional", "legacy"),
    ),
    OptionSpec(
        "multipart_chunk_size_mb",
        "Size of the parts of an upload, in MiB.",
        {"singlestore": _config("multipart_chunk_size_mb")},
        kind="number",
    ),
    OptionSpec(
        "disable_gunzip",
        "Whether .gz objects are read as they are.",
        {"singlestore": _config("disable_gunzip")},
        kind="boolean",
    ),
    OptionSpec(
        "request_payer",
        "Who pays for requests.",
        {"singlestore": _config("request_payer")},
        pending=_PAYER_LATER,
    ),
    OptionSpec(
        "suffixes",
        "Only objects whose names end so are loaded.",
        {"singlestore": _config("suffixes")},
        kind="list",
    ),
    OptionSpec("file_time_threshold", "Oldest object that is loaded.", {"singlestore": _config("file_time_threshold")}),
    OptionSpec(
        "compatibility_mode",
        "For stores that are not quite compatible.",
        {"singlestore": _config("compatibility_mode")},
        kind="boolean",
    ),
    OptionSpec(
        "use_eks_irsa",
        "Use the identity of the gateway's pod.",
        {"singlestore": _config("use_eks_irsa")},
        kind="boolean",
        pending=_AMBIENT_LATER,
    ),
    OptionSpec(
        "creds_mode",
        "Where credentials come from.",
        {"singlestore": _config("creds_mode")},
        pending=_AMBIENT_LATER,
    ),
    OptionSpec(
        "allowed_hosts",
        "Hosts that users of the connection may name; of no effect where the endpoint is fixed.",
        {"singlestore": _config("allowed_hosts")},
        kind="list",
    ),
)


# --- rules, per system ------------------------------------------------------------------------------------------------


def _materialize_keys(given: Given) -> Complaint | None:
    pair = ("access_key_id" in given) + ("secret_access_key" in given)
    if pair == 1 or (pair == 0 and "session_token" in given):
        return Complaint("must specify both ACCESS KEY ID and SECRET ACCESS KEY with optional SESSION TOKEN")
    return None


def _materialize_role(given: Given) -> Complaint | None:
    if "role_arn" not in given and ("role_session_name" in given or "external_id" in given):
        return Complaint("must specify ASSUME ROLE ARN with optional ASSUME ROLE SESSION NAME")
    return None


def _materialize_one(given: Given) -> Complaint | None:
    keys, role = "access_key_id" in given, "role_arn" in given
    if keys and role:
        return Complaint("cannot specify both ACCESS KEY ID and ASSUME ROLE ARN")
    if not keys and not role:
        return Complaint("must specify either ASSUME ROLE ARN or ACCESS KEY ID and SECRET ACCESS KEY")
    return None


def _needs(spelling: Spelling, option: str, other: str) -> Rule:
    """Return the rule "an option needs another one" in the words of SingleStore or Databend."""

    def rule(given: Given) -> Complaint | None:
        if option not in given or other in given:
            return None
        by_name = {spec.name: spec.words[spelling] for spec in _OPTIONS if spelling in spec.words}
        missing, present = by_name[other], by_name[option]
        if spelling == "singlestore":
            return Complaint(f'missing {missing.clause} key "{missing.name}" for S3: "{present.name}" needs it')
        return Complaint(f"{missing.name} is required with {present.name}")

    return rule


def _singlestore_encryption(given: Given) -> Complaint | None:
    customer = [spec.name for spec in _OPTIONS if spec.name.startswith("sse_customer") and spec.name in given]
    if customer and ("server_side_encryption" in given or "sse_kms_key_id" in given):
        return Complaint(f'CONFIG keys "{_SSE}" and "{_SSE}-customer-key" cannot be used together')
    return None


def _clickzetta_sign_in(given: Given) -> Complaint | None:
    role = "role_arn" in given
    pairs = (("access_key_id", "ACCESS_KEY"), ("secret_access_key", "SECRET_KEY"), ("session_token", "SESSION_TOKEN"))
    for name, word in pairs:
        if role and name in given:
            return Complaint(f'parameters "{word}" and "ROLE_ARN" cannot be used together')
        if not role and name not in given and name != "session_token":
            return Complaint(f'missing parameter "{word}"')
    return None


def _clickzetta_place(given: Given) -> Complaint | None:
    if "region" in given or ("endpoint" in given and "role_arn" not in given):
        return None
    return Complaint('missing parameter "REGION"', None if "role_arn" in given else "REGION or ENDPOINT is needed")


_PAIRS: Final = (
    ("access_key_id", "secret_access_key"),
    ("secret_access_key", "access_key_id"),
    ("session_token", "access_key_id"),
)
_CUSTOMER: Final = ("sse_customer_algorithm", "sse_customer_key", "sse_customer_key_md5")
_SINGLESTORE: Final = (
    *_PAIRS,
    ("external_id", "role_arn"),
    ("sse_kms_key_id", "server_side_encryption"),
    *((one, other) for one in _CUSTOMER for other in _CUSTOMER if one != other),
)


# --- checks -----------------------------------------------------------------------------------------------------------


def _check_config(probe: Probe) -> str:
    target = S3().target(probe.options)
    style = "path" if target.path_style else "virtual-host"
    return f"{target.base_url}, region {target.region}, {style} style"


def _check_secret(probe: Probe) -> str:
    target = S3().target(probe.options)
    if target.access_key_id is None:
        reason = "no credential: requests are not signed"
        raise Skipped(reason)
    if not target.access_key_id or not target.secret_access_key:
        message = "the access key is empty"
        raise InvalidParameter(message, hint="ALTER SECRET gives the secret a value")
    return "an access key" + (" with a session token" if target.session_token else "") + " is set"


def _check_sign_in(probe: Probe) -> str:
    target = S3().target(probe.options)
    if target.access_key_id is None:
        reason = "nothing to sign in with"
        raise Skipped(reason)
    return probe.door.sign_in(target)


def _check_list(probe: Probe) -> str:
    if not probe.locations:
        reason = "no stage names a place to list"
        raise Skipped(reason)
    target = S3().target(probe.options)
    seen: list[str] = []
    for location in sorted(set(probe.locations)):
        bucket, prefix = parse_url(location)
        count = probe.door.list(target, bucket, prefix, 1)
        seen.append(f"{location} {'holds objects' if count else 'is empty'}")
    return "; ".join(seen)


def _base_url(probe: Probe) -> str:
    return S3().target(probe.options).base_url


# --- the connector ----------------------------------------------------------------------------------------------------


class S3(Connector):
    """S3 and stores that speak its API."""

    kind = "s3"
    category = Category.STORAGE
    title = "S3"
    schemes = frozenset({"s3"})
    types = {"materialize": "AWS", "singlestore": "S3", "databend": "s3", "clickzetta": "S3"}  # noqa: RUF012  # ClassVar in the base
    shown_types = {"materialize": "aws", "singlestore": "S3", "databend": "s3", "clickzetta": "S3"}  # noqa: RUF012
    options = _OPTIONS
    rules = {  # noqa: RUF012
        "materialize": (_materialize_keys, _materialize_role, _materialize_one),
        "singlestore": (
            *(_needs("singlestore", one, other) for one, other in _SINGLESTORE[:4]),
            _singlestore_encryption,
            *(_needs("singlestore", one, other) for one, other in _SINGLESTORE[4:]),
        ),
        "databend": tuple(_needs("databend", one, other) for one, other in _PAIRS),
        "clickzetta": (_clickzetta_sign_in, _clickzetta_place),
    }
    steps = (
        Step("config", _check_config),
        Step("secret", _check_secret),
        *checks.endpoint_steps(_base_url),
        Step("auth", _check_sign_in),
        Step("list", _check_list),
    )

    def target(self, options: Mapping[str, str | Sensitive]) -> S3Target:
        """Return how egress reaches the store. Raises NotSupported for what cannot be honoured yet."""
        self.refuse_pending(options)
        endpoint = str(options.get("endpoint", "")) or None
        return S3Target(
            endpoint=None if endpoint in _GLOBAL_ENDPOINTS else endpoint,
            region=str(options.get("region", "")) or DEFAULT_REGION,
            access_key_id=_sensitive(options, "access_key_id"),
            secret_access_key=_sensitive(options, "secret_access_key"),
            session_token=_sensitive(options, "session_token"),
            path_style=options.get("path_style", "true") != "false",
        )

    def destination(self, given: Given) -> str:
        """Return the endpoint; all of AWS is one place, so that a change of region moves nothing."""
        region = given.get("region") or DEFAULT_REGION
        own = "https://s3.amazonaws.com.cn" if region.startswith("cn-") else "https://s3.amazonaws.com"
        return given.get("endpoint") or own

    def renamed(self, spelling: Spelling, typed: frozenset[str]) -> Mapping[str, str]:
        """Untangle ClickZetta's ACCESS_KEY, which is the key id beside SECRET_KEY and the secret beside ACCESS_ID."""
        if spelling != "clickzetta" or "ACCESS_KEY" not in typed or typed & {"SECRET_KEY", "SECRET_ACCESS_KEY"}:
            return {}
        if "ACCESS_ID" in typed:
            return {"ACCESS_KEY": "SECRET_KEY"}
        message = 'missing parameter "SECRET_KEY"'
        raise InvalidParameter(
            message, hint="ACCESS_KEY alone may be the key id or its secret: write ACCESS_KEY_ID or SECRET_ACCESS_KEY"
        )

    def generated(self, spelling: Spelling, given: Given) -> Mapping[str, str]:
        """Make the external id of ClickZetta's role flow: 16 letters and digits."""
        if spelling != "clickzetta" or "role_arn" not in given or "external_id" in given:
            return {}
        alphabet = string.ascii_letters + string.digits
        return {"external_id": "".join(secrets.choice(alphabet) for _ in range(_EXTERNAL_ID_LENGTH))}


def _sensitive(options: Mapping[str, str | Sensitive], name: str) -> Sensitive | None:
    value = options.get(name)
    if value is None or value == "":
        return None
    return value if isinstance(value, Sensitive) else Sensitive(value)
