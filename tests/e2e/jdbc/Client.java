import java.math.BigDecimal;
import java.sql.Array;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** What a program with JDBC does. Each line that it prints is compared by test_jdbc.py. */
public final class Client {
    private static final UUID SOME = UUID.fromString("f47ac10b-58cc-4372-a567-0e02b2c3d479");

    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        settings.put("user", "fairlead");
        settings.put("password", System.getenv("FAIRLEAD_PASSWORD"));
        settings.put("sslmode", "verify-full");
        settings.put("sslrootcert", arguments[1]);
        settings.put("prepareThreshold", "-1"); // in binary and by name from the first run on
        try (Connection connection = DriverManager.getConnection(arguments[0], settings)) {
            parameters(connection);
            values(connection);
            rows(connection);
            batch(connection);
            errors(connection);
            cancel(connection);
        }
    }

    private static void parameters(Connection connection) throws SQLException {
        String query = "SELECT ?::INT + 1, ?::BIGINT, ?::DOUBLE, ?::DECIMAL(10, 3), ?::DATE, ?::TIMESTAMP,"
            + " ?::UUID, ?, ?::BOOLEAN, ?::BLOB";
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            for (int run = 0; run < 3; run++) {
                statement.setInt(1, run);
                statement.setLong(2, 1L << 40);
                statement.setDouble(3, 0.1);
                statement.setBigDecimal(4, new BigDecimal("-1234.500"));
                statement.setObject(5, LocalDate.of(2020, 2, 29));
                statement.setObject(6, LocalDateTime.of(2020, 2, 29, 23, 59, 59, 250_000_000));
                statement.setObject(7, SOME);
                statement.setString(8, "na\u00efve");
                statement.setBoolean(9, true);
                statement.setBytes(10, new byte[] {0, -1});
                try (ResultSet result = statement.executeQuery()) {
                    result.next();
                    System.out.println("parameters " + result.getInt(1) + " " + result.getLong(2) + " "
                        + result.getDouble(3) + " " + result.getBigDecimal(4) + " " + result.getObject(5, LocalDate.class)
                        + " " + result.getObject(6, LocalDateTime.class) + " " + result.getObject(7) + " "
                        + result.getString(8) + " " + result.getBoolean(9) + " " + Arrays.toString(result.getBytes(10)));
                }
            }
        }
        try (PreparedStatement statement = connection.prepareStatement("SELECT 1 WHERE 2 = ANY(?) AND 'b' = ANY(?)")) {
            statement.setArray(1, connection.createArrayOf("int4", new Integer[] {1, 2}));
            statement.setArray(2, connection.createArrayOf("text", new String[] {"a", "b"}));
            try (ResultSet result = statement.executeQuery()) {
                System.out.println("any " + result.next());
            }
        }
    }

    private static void values(Connection connection) throws SQLException {
        String query = "SELECT true, 7::SMALLINT, 1.5::FLOAT, 1e300::DOUBLE, 12345678901234567890.5::DECIMAL(30, 2),"
            + " TIMESTAMPTZ '2020-02-29 23:59:59.25+00', [1, NULL, 3], ['a', 'b c'], '\\x00\\xFF'::BLOB, NULL::INT"
            + " FROM range(100)";
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            for (int run = 0; run < 2; run++) {
                int rows = 0;
                String last = "";
                try (ResultSet result = statement.executeQuery()) {
                    while (result.next()) {
                        rows++;
                        Array numbers = result.getArray(7);
                        Array texts = result.getArray(8);
                        last = result.getBoolean(1) + " " + result.getShort(2) + " " + result.getFloat(3) + " "
                            + result.getDouble(4) + " " + result.getBigDecimal(5) + " "
                            + result.getObject(6, OffsetDateTime.class).withOffsetSameInstant(ZoneOffset.UTC) + " "
                            + Arrays.toString((Object[]) numbers.getArray()) + " "
                            + Arrays.toString((Object[]) texts.getArray()) + " " + Arrays.toString(result.getBytes(9))
                            + " " + result.getObject(10);
                    }
                }
                System.out.println("values " + rows + " " + last);
            }
        }
    }

    private static void rows(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        long sum = 0;
        int rows = 0;
        try (PreparedStatement statement = connection.prepareStatement("SELECT i, 'x' FROM range(10000) t(i)");
                Statement other = connection.createStatement()) {
            statement.setFetchSize(300);
            try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                    sum += result.getLong(1);
                    if (++rows == 500) {
                        try (ResultSet between = other.executeQuery("SELECT 42")) {
                            between.next();
                            System.out.println("between " + between.getInt(1));
                        }
                    }
                }
            }
        }
        connection.commit();
        connection.setAutoCommit(true);
        System.out.println("rows " + rows + " " + sum);
    }

    private static void batch(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE OR REPLACE TABLE from_java (i INTEGER, s VARCHAR, d DATE, t TIMESTAMP)");
        }
        connection.setAutoCommit(false);
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO from_java VALUES (?, ?, ?, ?)")) {
            for (int number = 0; number < 20; number++) {
                insert.setInt(1, number);
                insert.setString(2, number % 2 == 0 ? null : "s" + number);
                insert.setDate(3, Date.valueOf("2020-02-29"));
                insert.setTimestamp(4, Timestamp.valueOf("2020-02-29 23:59:59.25"));
                insert.addBatch();
            }
            System.out.println("batch " + Arrays.stream(insert.executeBatch()).sum());
        }
        connection.commit();
        connection.setAutoCommit(true);
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("SELECT sum(i), count(s), min(d), max(t) FROM from_java")) {
            result.next();
            System.out.println("stored " + result.getLong(1) + " " + result.getLong(2) + " " + result.getDate(3) + " "
                + result.getTimestamp(4));
        }
    }

    private static void errors(Connection connection) throws SQLException {
        for (String query : new String[] {"SELEC 1", "SELECT * FROM nowhere", "SELECT 'x'::INT"}) {
            try (Statement statement = connection.createStatement()) {
                statement.executeQuery(query);
                System.out.println("no error");
            } catch (SQLException error) {
                System.out.println("error " + error.getSQLState());
            }
        }
    }

    private static void cancel(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            CompletableFuture<String> ended = CompletableFuture.supplyAsync(() -> {
                try {
                    statement.executeQuery("SELECT count(*) FROM range(1000000000000) a, range(1000000) b");
                    return "no error";
                } catch (SQLException error) {
                    return error.getSQLState();
                }
            });
            while (!ended.isDone()) { // a cancel that comes before the statement does not touch it
                statement.cancel();
                Thread.sleep(50);
            }
            System.out.println("cancel " + ended.get());
        }
        try (Statement statement = connection.createStatement(); ResultSet result = statement.executeQuery("SELECT 1")) {
            System.out.println("after " + result.next());
        }
    }
}
