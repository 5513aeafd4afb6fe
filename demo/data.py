"""The tour's data: two years of a shop's order lines, its customers and products, and two files for nobody's eyes.

DuckDB makes all of it from hashes of row numbers, so that every run writes the same rows. One folder per bucket:

    acme/raw/orders/year=2025/month=7/*.parquet    about 1.5 million order lines, 24 files
    acme/raw/customers.csv                         50,000 customers
    acme/raw/products.csv                          400 products
    acme/hr/salaries.csv                           another prefix of the same bucket
    other-corp/plans.csv                           another bucket
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import duckdb

ORDERS = 600_000
CUSTOMERS = 50_000
PRODUCTS = 400

# A number in [0, 1) that depends on nothing but the row and the purpose.
_SETUP = f"""
SET threads = 1;
CREATE MACRO chance(row_number, purpose) AS (hash(purpose || ' ' || row_number) >> 11) / 9007199254740992.0;
CREATE MACRO pick(row_number, purpose, choices) AS
    choices[1 + floor(chance(row_number, purpose) * len(choices))::BIGINT];

CREATE TABLE products AS
SELECT i + 1 AS product_id,
       pick(i, 'adjective', ['Braided', 'Waxed', 'Tarred', 'Light', 'Heavy', 'Marine', 'Spliced', 'Twin']) || ' '
           || pick(i, 'noun', ['rope', 'block', 'shackle', 'cleat', 'fender', 'winch', 'anchor', 'lamp']) AS name,
       pick(i, 'category', ['Rigging', 'Deck', 'Mooring', 'Electrical', 'Safety']) AS category,
       round(4 + 396 * pow(chance(i, 'price'), 3), 2)::DECIMAL(10, 2) AS price
FROM range({PRODUCTS}) AS t(i);

CREATE TABLE customers AS
SELECT i + 1 AS customer_id,
       pick(i, 'first', ['Ada', 'Bo', 'Cleo', 'Dan', 'Eva', 'Finn', 'Gro', 'Hugo', 'Ines', 'Jan', 'Kim', 'Lea'])
           || ' ' || pick(i, 'last', ['Berg', 'Costa', 'Dahl', 'Evans', 'Fischer', 'Garcia', 'Holm', 'Ito', 'Jansen',
                                      'Kowalski', 'Lind', 'Moreau', 'Novak', 'Okafor', 'Rossi', 'Silva']) AS name,
       pick(i, 'country', ['DE', 'DE', 'DE', 'DE', 'FR', 'FR', 'FR', 'NL', 'NL', 'ES', 'ES', 'IT', 'IT', 'PL', 'SE',
                           'NO', 'DK', 'PT', 'JP', 'NG']) AS country,
       pick(i, 'segment', ['consumer', 'consumer', 'consumer', 'charter', 'charter', 'shipyard']) AS segment,
       DATE '2019-01-01' + (chance(i, 'since') * 2100)::INTEGER AS since
FROM range({CUSTOMERS}) AS t(i);

CREATE TABLE orders AS
SELECT i + 1 AS order_id,
       -- more in summer, more in the second year
       DATE '2025-01-01' + least(729, floor(730 * pow(chance(i, 'day'), 0.85)
           + 20 * sin(chance(i, 'day') * 12.56)))::INTEGER AS day,
       -- some customers buy much more than others
       1 + floor({CUSTOMERS} * pow(chance(i, 'customer'), 1.7))::INTEGER AS customer_id,
       1 + floor(4 * chance(i, 'lines'))::INTEGER AS lines
FROM range({ORDERS}) AS t(i);

CREATE TABLE order_lines AS
SELECT order_id,
       line,
       greatest(day, DATE '2025-01-01') AS order_date,
       customer_id,
       product_id,
       quantity,
       price AS unit_price,
       (quantity * price)::DECIMAL(12, 2) AS amount,
       year(order_date) AS year,
       month(order_date) AS month
FROM (
    SELECT order_id, day, customer_id, unnest(range(1, lines + 1))::INTEGER AS line,
           1 + floor({PRODUCTS} * chance(order_id * 8 + line, 'product'))::INTEGER AS product_id,
           1 + floor(9 * pow(chance(order_id * 8 + line, 'quantity'), 3))::INTEGER AS quantity
    FROM orders
) JOIN products USING (product_id)
ORDER BY order_date, order_id, line;
"""

_SALARIES = "SELECT i + 1 AS id, 40000 + floor(60000 * chance(i, 'salary'))::INTEGER AS salary FROM range(80) AS t(i)"
_BY_MONTH = "FORMAT parquet, COMPRESSION zstd, PARTITION_BY (year, month), OVERWRITE"
_PLANS = "SELECT * FROM (VALUES ('2027', 'buy acme'), ('2028', 'buy the rest')) AS t(year, plan)"


def write(folder: Path) -> dict[str, int]:
    """Write the data set below ``folder`` and return the number of rows of each table.

    Args:
        folder: gets one folder per bucket; what is in the way of a file is replaced.
    """
    with duckdb.connect() as connection:
        connection.execute(_SETUP)
        for place in ("acme/raw", "acme/hr", "other-corp"):
            (folder / place).mkdir(parents=True, exist_ok=True)
        for source, path, options in (
            ("order_lines", "acme/raw/orders", _BY_MONTH),
            ("customers", "acme/raw/customers.csv", "HEADER"),
            ("products", "acme/raw/products.csv", "HEADER"),
            (f"({_SALARIES})", "acme/hr/salaries.csv", "HEADER"),
            (f"({_PLANS})", "other-corp/plans.csv", "HEADER"),
        ):
            connection.execute(f"COPY {source} TO '{folder / path}' ({options})")
        return {
            table: connection.table(table).count("*").fetchall()[0][0]
            for table in ("order_lines", "customers", "products")
        }


def main() -> None:
    """Write the data set to the folder that the command line names."""
    started = time.monotonic()
    rows = write(Path(sys.argv[1]))
    print(", ".join(f"{count:,} {table}" for table, count in rows.items()), f"in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
