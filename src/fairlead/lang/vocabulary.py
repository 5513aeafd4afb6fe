"""The words of the language: what the parser knows, what a redacted text may show, what "did you mean" searches."""

from __future__ import annotations

import re
from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Materialize option names in catalog order (materialize.md 9.2); the last line is Fairlead's own.
OPTION_NAMES: Final = (
    *("ACCESS KEY ID", "ASSUME ROLE ARN", "ASSUME ROLE SESSION NAME", "AVAILABILITY ZONES", "AWS CONNECTION"),
    *("AWS PRIVATELINK", "BROKER", "BROKERS", "CREDENTIAL", "DATABASE", "ENDPOINT", "GCP CONNECTION", "HOST"),
    *("OAUTH2 SERVER URL", "PASSWORD", "PORT", "PROGRESS TOPIC", "PROGRESS TOPIC REPLICATION FACTOR"),
    *("PUBLIC KEY 1", "PUBLIC KEY 2", "REGION", "REGISTRY", "SASL MECHANISMS", "SASL PASSWORD", "SASL USERNAME"),
    *("SCOPE", "SECRET ACCESS KEY", "SECURITY PROTOCOL", "SERVICE ACCOUNT KEY", "SERVICE NAME", "SSH TUNNEL"),
    *("SSL CERTIFICATE", "SSL CERTIFICATE AUTHORITY", "SSL KEY", "SSL MODE", "SESSION TOKEN", "CATALOG TYPE"),
    *("URL", "USER", "USERNAME", "WAREHOUSE"),
)
NATIVE_OPTION_NAMES: Final = ("ALLOWED HOSTS", "DATA PATH", "EXTERNAL ID", "PATH STYLE")
REFERENCE_OPTIONS: Final = frozenset({"AWS CONNECTION", "AWS PRIVATELINK", "GCP CONNECTION", "SSH TUNNEL"})
CREDENTIAL_OPTIONS: Final = frozenset(
    (
        *("ACCESS KEY ID", "CREDENTIAL", "PASSWORD", "SASL PASSWORD", "SASL USERNAME", "SECRET ACCESS KEY"),
        *("SERVICE ACCOUNT KEY", "SESSION TOKEN", "SSL CERTIFICATE", "SSL CERTIFICATE AUTHORITY", "SSL KEY", "USER"),
    )
)
MATERIALIZE_TYPES: Final = (
    *("AWS", "AWS PRIVATELINK", "AWS GLUE SCHEMA REGISTRY", "GCP", "KAFKA", "CONFLUENT SCHEMA REGISTRY"),
    *("POSTGRES", "MYSQL", "SQL SERVER", "SSH TUNNEL", "ICEBERG CATALOG"),
)
LINK_TYPES: Final = ("S3", "AZURE", "GCS", "HDFS", "HTTP", "KAFKA", "MONGODB", "MYSQL")
CATEGORIES: Final = ("STORAGE", "API", "CATALOG")
CLICKZETTA_TYPES: Final = (
    *("OSS", "COS", "S3", "GCS", "HDFS", "KAFKA", "CLOUD_FUNCTION", "AI_FUNCTION", "HTTP", "HMS", "DATABRICKS"),
    "ICEBERG_REST",
)
# Option names of Databend and ClickZetta. The parser takes any name there; these may be shown and suggested.
PARAMETERS: Final = _words(
    "STORAGE_TYPE ENDPOINT_URL REGION ACCESS_KEY_ID AWS_KEY_ID SECRET_ACCESS_KEY AWS_SECRET_KEY SESSION_TOKEN "
    "AWS_TOKEN SECURITY_TOKEN MASTER_KEY ROLE_ARN AWS_ROLE_ARN EXTERNAL_ID AWS_EXTERNAL_ID "
    "ENABLE_VIRTUAL_HOST_STYLE ACCOUNT_NAME ACCOUNT_KEY CREDENTIAL PRESIGN_ENDPOINT_URL ACCESS_KEY_SECRET "
    "SECRET_ID SECRET_KEY REPO_TYPE REVISION TOKEN HTTPS DISABLE_LIST_BATCH USER_NAME DELEGATION CONNECTION_NAME "
    "ENDPOINT ACCESS_ID ACCESS_KEY APP_ID PATH_STYLE PRIVATE_KEY NAME_NODE NAME_NODE_RPC_ADDRESSES "
    "BOOTSTRAP_SERVERS SECURITY_PROTOCOL SASL_MECHANISM SASL_USERNAME SASL_PASSWORD SSL_CA PROVIDER CODE_BUCKET "
    "NAMESPACE BASE_URL API_KEY HEADERS HIVE_METASTORE_URIS STORAGE_CONNECTION AUTH_TYPE "
    "KERBEROS_CLIENT_PRINCIPAL KERBEROS_SERVICE_PRINCIPAL KERBEROS_KRB5_CONFIG_PATH KERBEROS_KEYTAB_PATH HOST "
    "CLIENT_ID CLIENT_SECRET ACCESS_REGION URI OAUTH_CLIENT_ID OAUTH_CLIENT_SECRET OAUTH_SCOPE WAREHOUSE "
    "DATA_PATH ALLOWED_HOSTS"
)
FORMAT_OPTIONS: Final = _words(
    "TYPE FORMAT_NAME COMPRESSION RECORD_DELIMITER FIELD_DELIMITER QUOTE QUOTE_STYLE NAN_DISPLAY NULL_DISPLAY "
    "ENCODING ENCODING_ERROR_MODE ESCAPE ROW_TAG SKIP_HEADER ERROR_ON_COLUMN_COUNT_MISMATCH OUTPUT_HEADER "
    "USE_LOGIC_TYPE ALLOW_QUOTED_NULLS TRIM_SPACE BINARY_FORMAT MISSING_FIELD_AS EMPTY_FIELD_AS NULL_FIELD_AS "
    "QUOTED_EMPTY_FIELD_AS NULL_IF CSV TSV TEXT NDJSON PARQUET JSON ORC AVRO NONE GZIP ZSTD"
)
PRIVILEGES: Final = (
    *("USAGE", "USE", "READ", "WRITE", "LIST", "SHOW", "ALTER", "DROP", "CREATE", "ALL", "ALL PRIVILEGES", "OWNERSHIP"),
    *("CREATE CONNECTION", "ACCESS CONNECTION", "ALTER CONNECTION", "DROP CONNECTION", "CREATE LINK", "SHOW LINK"),
    *("DROP LINK", "ALTER LINK", "CREATE SECRET", "CREATE STAGE", "CREATE USER", "CREATE ROLE", "READ METADATA"),
    *("OUTBOUND", "SUPER", "AUDIT", "CREATE DATABASE", "CREATE SCHEMA"),
)
LINK_PRIVILEGES: Final = frozenset({"CREATE LINK", "SHOW LINK", "DROP LINK", "ALTER LINK"})
FIRST_WORDS: Final = (
    *(
        "SELECT",
        "WITH",
        "FROM",
        "VALUES",
        "TABLE",
        "EXPLAIN",
        "DESCRIBE",
        "DESC",
        "SUMMARIZE",
        "SHOW",
        "PIVOT",
        "UNPIVOT",
    ),
    *("COPY", "CREATE", "INSERT", "UPDATE", "DELETE", "MERGE", "DROP", "ALTER", "VALIDATE", "LIST", "GRANT", "REVOKE"),
    *("SET", "RESET", "UNSET", "USE", "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "DISCARD", "DEALLOCATE"),
    *("VERIFY", "COMMENT"),
)
_GRAMMAR: Final = (
    "OR REPLACE IF NOT EXISTS AS TO FOR ON IN OF IS BY WITH SECRET SECRETS CONNECTION CONNECTIONS LINK LINKS "
    "STAGE STAGES USER USERS ROLE ROLES DATABASE DATABASES WORKSPACE SCHEMA SYSTEM GRANTS LEDGER LIMIT LIKE ALL "
    "PRIVILEGES OPTION VALIDATE CREDENTIALS CONFIG DESCRIPTION PROPERTIES COMMENTS STORED TYPE RENAME OWNER "
    "ENABLE DISABLE CASCADE RESTRICT EXTENDED REDACTED DEPENDENTS PASSWORD IDENTIFIED SUPERUSER NOSUPERUSER LOGIN "
    "NOLOGIN FILE_FORMAT PATTERN FILES CASE_SENSITIVE TRUE FALSE NULL DEFAULT MAP DECODE CONVERT_TO CAST BYTEA "
    "TEXT SESSION LOCAL GLOBAL TRANSACTION WORK TEMP TEMPORARY PERSISTENT VIEW MACRO FUNCTION PIPELINE VOLUME "
    "USING FORMAT PUBLIC ROTATE KEYS TAG"
)
VOCABULARY: Final = frozenset(
    word.upper()
    for text in (
        *OPTION_NAMES,
        *NATIVE_OPTION_NAMES,
        *MATERIALIZE_TYPES,
        *LINK_TYPES,
        *CATEGORIES,
        *CLICKZETTA_TYPES,
        *PARAMETERS,
        *FORMAT_OPTIONS,
        *PRIVILEGES,
        *FIRST_WORDS,
        _GRAMMAR,
    )
    for word in text.split()
    if not word.isdigit()
)
SECRETISH: Final = re.compile(
    r"secret|passw|pwd|token|credential|key|auth|signature|passphrase|bearer|header|sas_|cookie|delegation",
    re.IGNORECASE,
)
# Words that the documents of the four systems put between angle brackets.
PLACEHOLDER: Final = re.compile(
    r"<((?:your|the|my|new|an?|access|key|id|secret|role|arn|connection|name|aws|gcp|port|ssh|bastion|host|user|username|"
    r"password|url|catalog|warehouse|region|bucket|path|endpoint|type|stage|storage|params|token|session|account|database|"
    r"schema|value|option|link|postgres|mysql|sql|server|broker|topic|namespace|table|[a-z0-9])"
    r"(?:[_ -](?=\w)|(?=>)))+>",
    re.IGNORECASE,
)


def nearest(phrase: str, choices: tuple[str, ...]) -> str | None:
    """Return the choice that looks most like the first words of a phrase, if any is near."""
    import difflib  # noqa: PLC0415  # only errors need it, and it is slow to import

    words = phrase.upper()[:80].split()
    best, score = None, 0.0
    for count in range(len(words), 0, -1):
        text = " ".join(words[:count])
        for found in difflib.get_close_matches(text, choices, n=1, cutoff=0.7):
            ratio = difflib.SequenceMatcher(None, text, found).ratio()
            if ratio > score:
                best, score = found, ratio
    return best
