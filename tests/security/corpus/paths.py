"""Places in the store: everything beside s3://{b}/granted/ must stay shut, however it is written."""

from __future__ import annotations

from typing import Final

from tests.security.case import Case, Within, case

_READ: Final = "SELECT * FROM read_parquet('{}')"
_LIST: Final = Within(("SELECT count(*) FROM glob('s3://{b}/granted/*/*')",))

# Dot segments: id, path below s3://{b}/.
_DOTS: Final = (
    ("E1-dots", "granted/../other/x.parquet"),
    ("E1-dot-then-dots", "granted/./../other/x.parquet"),
    ("E1-down-and-up", "granted/sub/../../other/x.parquet"),
    ("E1-up-to-another-bucket", "granted/../../{c}/x.parquet"),
    ("E1-way-above-the-root", "granted/../../../../../../{c}/x.parquet"),
    ("dots-stay-inside", "granted/sub/../x.parquet"),
    ("dots-at-the-end", "granted/.."),
    ("single-dot", "granted/./x.parquet"),
    ("doubled-slash", "granted//x.parquet"),
    ("doubled-slash-then-dots", "granted//../other/x.parquet"),
    ("leading-slash", "/granted/x.parquet"),
    ("encoded-dots", "granted/%2e%2e/other/x.parquet"),
    ("encoded-dots-upper-case", "granted/%2E%2E/other/x.parquet"),
    ("half-encoded-dots", "granted/.%2e/other/x.parquet"),
    ("encoded-slash", "granted/..%2fother/x.parquet"),
    ("encoded-backslash", "granted/..%5cother/x.parquet"),
    ("encoded-nul", "granted/%00/../other/x.parquet"),
    ("backslash", r"granted\..\other\x.parquet"),
    ("backslash-in-between", r"granted/..\other/x.parquet"),
    ("dots-with-parameter", "granted/..;/../other/x.parquet"),
    ("carriage-return", "granted/\r../other/x.parquet"),
    ("line-feed", "granted/../\nother/x.parquet"),
)
# Forms that name an ordinary key below the grant at which there is nothing: whoever decodes twice or folds finds more.
_LITERAL: Final = (
    ("twice-encoded-dots", "granted/%252e%252e/other/x.parquet"),
    ("overlong-utf8-dots", "granted/%c0%ae%c0%ae/other/x.parquet"),
    ("full-width-dots", "granted/\uff0e\uff0e/other/x.parquet"),
    ("one-dot-leader", "granted/\u2024\u2024/other/x.parquet"),
    ("division-slash", "granted/..\u2215other/x.parquet"),
    ("three-dots", "granted/.../other/x.parquet"),
    ("dots-and-blank", "granted/.. /other/x.parquet"),
    ("matrix-parameter", "granted/x;a=../other/x.parquet"),
)
_ELSEWHERE: Final = (
    ("sibling-prefix", "s3://{b}/other/x.parquet"),
    ("prefix-confusion-digit", "s3://{b}/granted2/x.parquet"),
    ("prefix-confusion-letter", "s3://{b}/grantedx/x.parquet"),
    ("prefix-other-case", "s3://{b}/Granted/x.parquet"),
    ("prefix-without-slash", "s3://{b}/granted"),
    ("above-the-prefix", "s3://{b}/top.parquet"),
    ("another-bucket", "s3://{c}/x.parquet"),
    ("another-bucket-same-prefix", "s3://{c}/granted/x.parquet"),
    ("bucket-with-suffix", "s3://{b}x/granted/x.parquet"),
    ("bucket-missing", "s3:///granted/x.parquet"),
    ("guessed-alias", "s3://{b}-7f3a/granted/x.parquet"),
    ("guessed-alias-of-another-bucket", "s3://{c}-0000/x.parquet"),
    ("somebody-elses-stage-by-url", "s3://{b}/others/x.parquet"),
    ("a-stage-one-may-only-write", "s3://{b}/inbox/secret.parquet"),
)
_GLOBS: Final = (
    ("glob-for-the-prefix", "s3://{b}/*/x.parquet"),
    ("glob-everything", "s3://{b}/**"),
    ("glob-prefix-tail", "s3://{b}/granted*/x.parquet"),
    ("glob-one-character", "s3://{b}/g?anted/x.parquet"),
    ("glob-class", "s3://{b}/[g]ranted/x.parquet"),
    ("glob-for-the-bucket", "s3://*/granted/x.parquet"),
    ("glob-crosses-with-dots", "s3://{b}/granted/*/../../other/*.parquet"),
    ("E1-glob-with-dots", "s3://{b}/granted/*/../*"),
    ("glob-deep-with-dots", "s3://{b}/granted/**/../../other/**"),
)
_PARAMETERS: Final = (
    ("presigned-query", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=x&X-Amz-Signature=y"),
    ("question-version", "versionId=null"),
    ("question-acl", "acl"),
    ("question-policy", "policy"),
    ("question-uploads", "uploads"),
    ("question-list", "list-type=2&prefix="),
)

CASES: Final[tuple[Case, ...]] = (
    *(case(id_, _READ.format("s3://{b}/" + path), by="path grant traversal") for id_, path in _DOTS),
    *(case(id_, _READ.format("s3://{b}/" + path), by="path absent grant") for id_, path in _LITERAL),
    *(case(id_, _READ.format(url), by="grant path absent url") for id_, url in _ELSEWHERE),
    *(case(id_, _READ.format(url), by="grant path absent url", control=_LIST) for id_, url in _GLOBS),
    *(
        case(id_, _READ.format("s3://{b}/granted/x.parquet?" + query), by="url request grant path absent")
        for id_, query in _PARAMETERS
    ),
    case("glob-function-above", "SELECT * FROM glob('s3://{b}/*')", by="grant", control=_LIST),
    case("glob-function-other-bucket", "SELECT * FROM glob('s3://{c}/*')", by="grant", control=_LIST),
    case("glob-function-dots", "SELECT * FROM glob('s3://{b}/granted/../other/*')", by="path", control=_LIST),
    case(
        "list-with-one-foreign-entry",
        "SELECT * FROM read_parquet(['s3://{b}/granted/x.parquet', 's3://{b}/other/x.parquet'])",
        by="grant",
        control=Within(
            ("SELECT count(*) FROM read_parquet(['s3://{b}/granted/x.parquet', 's3://{b}/granted/sub/y.parquet'])",)
        ),
    ),
    case(
        "list-with-one-foreign-entry-in-thousand",
        "SELECT count(*) FROM read_parquet(list_concat(list_transform(range(1000), i -> 's3://{b}/granted/x.parquet'), "
        "['s3://{b}/other/x.parquet']))",
        by="grant",
        control=Within(
            ("SELECT count(*) FROM read_parquet(list_transform(range(20), i -> 's3://{b}/granted/x.parquet'))",)
        ),
    ),
    case(
        "computed-path",
        "SELECT * FROM read_parquet('s3://{b}/gran' || 'ted/.' || './other/x.parquet')",
        by="path",
        control=Within(("SELECT count(*) FROM read_parquet('s3://{b}/gran' || 'ted/x.parquet')",)),
    ),
    case(
        "path-from-characters",
        "SELECT * FROM read_parquet('s3://{b}/' || chr(111) || 'ther/x.parquet')",
        by="grant",
        control=Within(("SELECT count(*) FROM read_parquet('s3://{b}/' || chr(103) || 'ranted/x.parquet')",)),
    ),
    case(
        "path-as-parameter",
        "SELECT * FROM read_parquet(%s)",
        by="grant",
        parameters=("s3://{b}/other/x.parquet",),
        control=Within(("SELECT count(*) FROM read_parquet(%s)",), ("s3://{b}/granted/x.parquet",)),
    ),
    case(
        "path-as-parameter-with-dots",
        "SELECT * FROM read_parquet(%s)",
        by="path",
        parameters=("s3://{b}/granted/../other/x.parquet",),
        control=Within(("SELECT count(*) FROM read_parquet(%s)",), ("s3://{b}/granted/x.parquet",)),
    ),
    case(
        "bare-table-url",
        "FROM 's3://{b}/other/x.parquet'",
        by="grant",
        control=Within(("FROM 's3://{b}/granted/x.parquet'",)),
    ),
    case(
        "quoted-identifier-url",
        'FROM "s3://{b}/other/x.parquet"',
        by="grant",
        control=Within(('FROM "s3://{b}/granted/x.parquet"',)),
    ),
    case(
        "csv-text-blob-json-1",
        "SELECT * FROM read_text('s3://{b}/other/x.txt')",
        by="grant",
        control=Within(("SELECT * FROM read_text('s3://{b}/granted/t.csv')",)),
    ),
    case(
        "csv-text-blob-json-2",
        "SELECT * FROM read_blob('s3://{b}/other/x.txt')",
        by="grant",
        control=Within(("SELECT * FROM read_blob('s3://{b}/granted/t.csv')",)),
    ),
    case(
        "csv-text-blob-json-3",
        "SELECT * FROM read_csv('s3://{b}/other/x.csv')",
        by="grant",
        control=Within(("SELECT * FROM read_csv('s3://{b}/granted/t.csv')",)),
    ),
    case(
        "csv-text-blob-json-4",
        "SELECT * FROM read_json('s3://{b}/other/x.json')",
        by="grant",
        control=Within(("SELECT * FROM read_json('s3://{b}/granted/t.json')",)),
    ),
    case(
        "sniff-csv",
        "SELECT * FROM sniff_csv('s3://{b}/other/x.csv')",
        by="grant",
        control=Within(("SELECT * FROM sniff_csv('s3://{b}/granted/t.csv')",)),
    ),
    case(
        "parquet-metadata",
        "SELECT * FROM parquet_metadata('s3://{b}/other/x.parquet')",
        by="grant",
        control=Within(("SELECT * FROM parquet_metadata('s3://{b}/granted/x.parquet')",)),
    ),
    case(
        "parquet-key-value-metadata",
        "SELECT * FROM parquet_kv_metadata('s3://{b}/other/x.parquet')",
        by="grant",
        control=Within(("SELECT * FROM parquet_kv_metadata('s3://{b}/granted/x.parquet')",)),
    ),
    case(
        "parquet-schema",
        "SELECT * FROM parquet_schema('s3://{b}/other/x.parquet')",
        by="grant",
        control=Within(("SELECT * FROM parquet_schema('s3://{b}/granted/x.parquet')",)),
    ),
    case(
        "describe-reads-too",
        "DESCRIBE SELECT * FROM read_parquet('s3://{b}/other/x.parquet')",
        by="grant",
        control=Within(("DESCRIBE SELECT * FROM read_parquet('s3://{b}/granted/x.parquet')",)),
    ),
    case(
        "summarize-reads-too",
        "SUMMARIZE SELECT * FROM read_parquet('s3://{b}/other/x.parquet')",
        by="grant",
        control=Within(("SUMMARIZE SELECT * FROM read_parquet('s3://{b}/granted/x.parquet')",)),
    ),
    case(
        "explain-reads-too",
        "EXPLAIN SELECT * FROM read_parquet('s3://{b}/other/x.parquet')",
        by="grant",
        control=Within(("EXPLAIN SELECT * FROM read_parquet('s3://{b}/granted/x.parquet')",)),
    ),
    case(
        "explain-analyze-runs",
        "EXPLAIN ANALYZE SELECT * FROM read_parquet('s3://{b}/other/x.parquet')",
        by="grant",
        control=Within(("EXPLAIN ANALYZE SELECT * FROM read_parquet('s3://{b}/granted/x.parquet')",)),
    ),
)
