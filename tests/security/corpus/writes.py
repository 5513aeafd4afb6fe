"""Writing where one may not: files, other prefixes, other buckets, and the stages that are only for reading."""

# ruff: noqa: E501  # a statement stays on one line, to be read and copied as a whole

from __future__ import annotations

from typing import Final

from tests.security.case import Bare, Case, Within, case

_WRITE: Final = Within(("COPY (SELECT 1 AS a) TO 's3://{b}/rw/control.csv'",))
_COPY: Final = "COPY (SELECT 1 AS a) TO '{}'"
_TARGETS: Final = (
    ("E3-dots", "s3://{b}/rw/../other/w.csv"),
    ("E3-dots-deep", "s3://{b}/rw/a/../../other/w.csv"),
    ("E3-encoded", "s3://{b}/rw/%2e%2e/other/w.csv"),
    ("E3-other-bucket", "s3://{b}/rw/../../{c}/w.csv"),
    ("other-prefix", "s3://{b}/other/w.csv"),
    ("other-bucket", "s3://{c}/w.csv"),
    ("read-only-stage-by-url", "s3://{b}/granted/w.csv"),
    ("over-a-granted-object", "s3://{b}/granted/x.parquet"),
    ("prefix-confusion", "s3://{b}/rw2/w.csv"),
    ("backslash", r"s3://{b}/rw\..\other\w.csv"),
)
_FILES: Final = (
    ("file", "{out}/w.csv"),
    ("file-scheme", "file://{out}/w.csv"),
    ("relative", "w.csv"),
    ("stdout", "/dev/stdout"),
    ("stderr", "/dev/stderr"),
    ("descriptor", "/dev/fd/1"),
    ("process-descriptor", "/proc/self/fd/1"),
    ("catalog", "{catalog}"),
    ("keyring", "{data}/keyring.json"),
    ("host", "{H}/w.csv"),
)
_BY_TARGET: Final = "grant path traversal"
_BY_FILE: Final = "copy inline setting request fence landlock scheme missing engine namespace"

CASES: Final[tuple[Case, ...]] = (
    *(case(f"write-{id_}", _COPY.format(url), by=_BY_TARGET, control=_WRITE) for id_, url in _TARGETS),
    *(
        case(
            f"write-{id_}",
            _COPY.format(path),
            by=_BY_FILE,
            control=Bare(("COPY (SELECT 1 AS a) TO '{scratch}/w.csv'",)),
        )
        for id_, path in _FILES
    ),
    case(
        "write-file-for-csv",
        "COPY (SELECT 1 AS a) TO '{out}/w' (FORMAT csv, USE_TMP_FILE false)",
        by=_BY_FILE,
        control=Bare(("COPY (SELECT 1 AS a) TO '{scratch}/w2' (FORMAT csv, USE_TMP_FILE false)",)),
    ),
    case(
        "write-stage-read-only",
        "COPY (SELECT 1 AS a) TO '@raw/w.csv'",
        by="stage grant",
        control=Within(("COPY (SELECT 1 AS a) TO '@rw/control2.csv'",)),
    ),
    case(
        "write-stage-dots",
        "COPY (SELECT 1 AS a) TO '@rw/../other/w.csv'",
        by="traversal",
        control=Within(("COPY (SELECT 1 AS a) TO '@rw/control3.csv'",)),
    ),
    case(
        "write-stage-encoded-dots",
        "COPY (SELECT 1 AS a) TO '@rw/%2e%2e/other/w.csv'",
        by="traversal path",
        control=Within(("COPY (SELECT 1 AS a) TO '@rw/control4.csv'",)),
    ),
    case(
        "write-stage-of-others",
        "COPY (SELECT 1 AS a) TO '@others/w.csv'",
        by="stage",
        control=Within(("COPY (SELECT 1 AS a) TO '@rw/control5.csv'",)),
    ),
    case(
        "E4-filename-pattern",
        "COPY (SELECT 1 AS a) TO 's3://{b}/rw/d' (FORMAT csv, FILENAME_PATTERN '../../other/x_{i}', PER_THREAD_OUTPUT)",
        by="path grant traversal fence engine",
        control=Within(
            ("COPY (SELECT 1 AS a) TO 's3://{b}/rw/e4' (FORMAT csv, FILENAME_PATTERN 'x_{i}', PER_THREAD_OUTPUT)",)
        ),
    ),
    case(
        "E4-filename-pattern-other-bucket",
        "COPY (SELECT 1 AS a) TO 's3://{b}/rw/d' (FORMAT csv, FILENAME_PATTERN '../../../{c}/x_{uuid}', PER_THREAD_OUTPUT)",
        by="path grant traversal fence engine",
        control=Within(
            ("COPY (SELECT 1 AS a) TO 's3://{b}/rw/e5' (FORMAT csv, FILENAME_PATTERN 'x_{uuid}', PER_THREAD_OUTPUT)",)
        ),
    ),
    case(
        "write-file-extension-with-dots",
        "COPY (SELECT 1 AS a) TO 's3://{b}/rw/d' (FORMAT csv, FILE_EXTENSION 'x/../../../other/y', PER_THREAD_OUTPUT)",
        by="path grant traversal fence engine",
        control=Within(
            ("COPY (SELECT 1 AS a) TO 's3://{b}/rw/e6' (FORMAT csv, FILE_EXTENSION 'y', PER_THREAD_OUTPUT)",)
        ),
    ),
    case(
        "write-partition-value-with-dots",
        "COPY (SELECT 1 AS a, '../../other/p' AS p) TO 's3://{b}/rw/part4' (FORMAT csv, PARTITION_BY (p))",
        by="path grant",
        control=Within(
            (
                "COPY (SELECT 1 AS a, 'v' AS p) TO 's3://{b}/rw/part5' (FORMAT csv, PARTITION_BY (p), OVERWRITE_OR_IGNORE)",
            )
        ),
    ),
    case(
        "write-partition-above",
        "COPY (SELECT 1 AS a, 'v' AS p) TO 's3://{b}/other' (FORMAT csv, PARTITION_BY (p))",
        by="grant",
        control=Within(
            (
                "COPY (SELECT 1 AS a, 'v' AS p) TO 's3://{b}/rw/part' (FORMAT csv, PARTITION_BY (p), OVERWRITE_OR_IGNORE)",
            )
        ),
    ),
    case(
        "write-partition-column-name-with-dots",
        "COPY (SELECT 1 AS a, 'v' AS \"../../other/p\") TO 's3://{b}/rw/part2' (FORMAT csv, PARTITION_BY (\"../../other/p\"), OVERWRITE_OR_IGNORE)",
        by="path grant traversal fence engine",
        control=Within(
            (
                "COPY (SELECT 1 AS a, 'v' AS q) TO 's3://{b}/rw/part3' (FORMAT csv, PARTITION_BY (q), OVERWRITE_OR_IGNORE)",
            )
        ),
    ),
    case(
        "write-target-as-parameter",
        "COPY (SELECT 1 AS a) TO $1",
        by="setting request engine",
        control=Bare(("PREPARE p AS COPY (SELECT 1 AS a) TO $1", "EXECUTE p('{scratch}/p.csv')")),
    ),
    case(
        "write-target-computed",
        "COPY (SELECT 1 AS a) TO ('s3://{b}/oth' || 'er/w.csv')",
        by="setting request engine",
        control=Bare(("COPY (SELECT 1 AS a) TO ('{scratch}' || '/c.csv')",)),
    ),
    case(
        "write-inside-explain",
        "EXPLAIN ANALYZE COPY (SELECT 1 AS a) TO 's3://{b}/other/w.csv'",
        by="grant",
        control=Within(("EXPLAIN ANALYZE COPY (SELECT 1 AS a) TO 's3://{b}/rw/explained.csv'",)),
    ),
    case(
        "write-inside-explain-file",
        "EXPLAIN ANALYZE COPY (SELECT 1 AS a) TO '{out}/w.csv'",
        by=_BY_FILE,
        control=Bare(("EXPLAIN ANALYZE COPY (SELECT 1 AS a) TO '{scratch}/explained.csv'",)),
    ),
    case(
        "copy-from-file",
        "CREATE TEMP TABLE copied (a VARCHAR)",
        "COPY copied FROM '{out}/secret.csv'",
        by=_BY_FILE,
        control=Bare(("CREATE TEMP TABLE c (a VARCHAR)", "COPY c FROM '{out}/secret.csv'")),
        after=(),
    ),
    case(
        "copy-from-other-prefix",
        "CREATE OR REPLACE TEMP TABLE copied2 (a VARCHAR, b VARCHAR)",
        "COPY copied2 FROM 's3://{b}/other/x.csv'",
        by="grant hygiene kinds copy",
        control=Bare(("CREATE TEMP TABLE c (a VARCHAR, b VARCHAR)", "COPY c FROM '{out}/secret.csv'")),
    ),
    case(
        "insert-from-other-prefix",
        "CREATE OR REPLACE TEMP TABLE stolen AS SELECT * FROM read_csv('s3://{b}/other/x.csv')",
        by="grant",
        control=Within(("CREATE OR REPLACE TEMP TABLE fair AS SELECT * FROM read_csv('s3://{b}/granted/t.csv')",)),
    ),
    case(
        "E20-temp-directory-write",
        "COPY (SELECT 1 AS a) TO '/tmp/fairlead-escape.csv'",
        by=_BY_FILE,
        control=Bare(("COPY (SELECT 1 AS a) TO '{scratch}/t.csv'",)),
    ),
    case(
        "return-files-tells-no-other-place",
        "COPY (SELECT 1 AS a) TO 's3://{b}/other/w' (FORMAT csv, PER_THREAD_OUTPUT, RETURN_FILES)",
        by="grant",
        control=Within(("COPY (SELECT 1 AS a) TO 's3://{b}/rw/files' (FORMAT csv, PER_THREAD_OUTPUT, RETURN_FILES)",)),
    ),
)
