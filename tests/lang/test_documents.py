"""The examples of the four systems' documents about object stores, secrets and links, in both dialects."""

from __future__ import annotations

import pytest

from fairlead.lang import ast, parse

DOCUMENTED = {
    "singlestore": [
        """CREATE LINK productdb.demouser_S3 AS S3
            CREDENTIALS '{"aws_access_key_id":"your_access_key_id","aws_secret_access_key":"your_secret_access_key"}'
            CONFIG '{"region":"us-east-1"}'
            DESCRIPTION 'Product list';""",
        "GRANT SHOW LINK ON productdb.* TO 'user1';",
        "SHOW LINKS ON productdb;",
        """CREATE LINK Orderdb.product_S3 AS S3
            CREDENTIALS '{"aws_access_key_id":"your_access_key_id",
                "aws_secret_access_key":"your_secret_access_key"}'CONFIG '{"region":"us-east-1"}'
            DESCRIPTION 'Products ordered in December';""",
        """CREATE LINK l AS AZURE CREDENTIALS '{"account_name": "your_account","account_key": "encrypted_key"}';""",
        """CREATE LINK mylink AS GCS CREDENTIALS '{"access_id": "your_google_access_key","secret_key": "k"}';""",
        """CREATE LINK mylink AS HDFS CREDENTIALS ''CONFIG '{"hadoop.security.authentication": "kerberos",
            "dfs.client.use.datanode.hostname": true}';""",
        """CREATE LINK test AS HTTP CREDENTIALS '{"headers": {"Authorization": "Basic cm9vdDp0ZXN0aW5nCg=="}}';""",
        """CREATE LINK mylink AS KAFKA CONFIG '{"security.protocol": "sasl_ssl","sasl.mechanism": "PLAIN"}'
            CREDENTIALS '{"sasl.username": "your_sasl_username","sasl.password": "your_sasl_secret_key"}';""",
        "USE productdb;",
    ],
    "clickzetta": [
        "SHOW CONNECTIONS;",
        "DESC CONNECTION oss_sh_conn_ak;",
        "DROP CONNECTION IF EXISTS connection_name;",
    ],
    "databend": [
        """CREATE CONNECTION toronto STORAGE_TYPE = 's3' ACCESS_KEY_ID = '<your-access-key-id>'
            SECRET_ACCESS_KEY = '<your-secret-access-key>';""",
        "CREATE STAGE my_s3_stage URL = 's3://databend-toronto' CONNECTION = (CONNECTION_NAME = 'toronto');",
        "CREATE CONNECTION databend_test STORAGE_TYPE = 's3' ROLE_ARN = 'arn:aws:iam::987654321987:role/test';",
        "CREATE STAGE databend_test URL = 's3://test-bucket-123' CONNECTION = (CONNECTION_NAME = 'databend_test');",
        "SELECT * FROM @databend_test/test.parquet LIMIT 1;",
    ],
    "materialize": [
        """CREATE CONNECTION aws_role_assumption TO AWS (
            ASSUME ROLE ARN = 'arn:aws:iam::000000000000:role/WarehouseExport', REGION = 'us-east-1');""",
        "CREATE SECRET aws_secret_access_key AS '...';",
        """CREATE CONNECTION aws_credentials TO AWS (ACCESS KEY ID = 'ASIAV2KIV5LPTG6HGXG6',
            SECRET ACCESS KEY = SECRET aws_secret_access_key);""",
        """CREATE CONNECTION gcs_connection TO AWS (ACCESS KEY ID = 'ASIAV2KIV5LPTG6HGXG6',
            SECRET ACCESS KEY = SECRET secret_access_key,
            ENDPOINT = 'https://storage.googleapis.com', REGION = 'us');""",
        "CREATE CONNECTION kafka_connection TO KAFKA (BROKERS ('broker1:9092', 'broker2:9092'));",
        """CREATE CONNECTION privatelink_svc TO AWS PRIVATELINK (
            SERVICE NAME 'com.amazonaws.vpce.us-east-1.vpce-svc-0e123abc123198abc',
            AVAILABILITY ZONES ('use1-az1', 'use1-az4'));""",
        """CREATE CONNECTION pg_connection TO POSTGRES (HOST 'h', PORT 5432, DATABASE postgres, USER postgres,
            PASSWORD SECRET pgpass, AWS PRIVATELINK privatelink_svc);""",
        "CREATE CONNECTION tunnel TO SSH TUNNEL (HOST 'bastion-host', PORT 22, USER 'materialize');",
        "CREATE CONNECTION c TO SQL SERVER (HOST 'h', PORT 1433, USER 'SA', PASSWORD SECRET p, DATABASE 'my_db');",
        """CREATE CONNECTION iceberg_catalog TO ICEBERG CATALOG (CATALOG TYPE = 's3tablesrest',
            URL = 'https://s3tables.us-east-1.amazonaws.com/iceberg',
            WAREHOUSE = 'arn:aws:s3tables:us-east-1:123456789012:bucket/my-table-bucket',
            AWS CONNECTION = aws_connection);""",
        """CREATE CONNECTION k TO KAFKA (BROKER = 'rp:30365', SECURITY PROTOCOL = 'SSL', SSH TUNNEL ssh_connection,
            -- Specifying a certificate authority
            SSL CERTIFICATE AUTHORITY = SECRET ca_cert);""",
        "SELECT id, external_id, example_trust_policy FROM mz_internal.mz_aws_connections;",
    ],
}
ALL = [(dialect, text) for dialect, texts in DOCUMENTED.items() for text in texts]


@pytest.mark.parametrize(("dialect", "text"), ALL, ids=lambda value: value[:50])
def test_a_documented_statement_means_the_same_natively_and_in_its_dialect(dialect, text):
    assert parse(text) == parse(text, dialect)
    assert len(parse(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "CREATE CONNECTION k TO KAFKA (BROKER 'b', SECURITY PROTOCOL = 'SSL' SSL CERTIFICATE = SECRET c)",
        "CREATE CONNECTION k TO KAFKA (BROKERS ('a', 'b') SSH TUNNEL ssh_1)",
        "CREATE CONNECTION r TO CONFLUENT SCHEMA REGISTRY (URL 'u', PASSWORD = SECRET p SSL KEY = SECRET k)",
        "CREATE CONNECTION i TO ICEBERG CATALOG (CREDENTIAL = 'client-id:' || SECRET s)",
    ],
)
def test_documented_statements_that_the_vendor_refuses_are_taken_natively(text):
    (statement,) = parse(text)
    assert isinstance(statement, ast.CreateConnection)
