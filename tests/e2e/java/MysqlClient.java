import java.sql.*;
import java.util.Arrays;

/** What a Java program does with a gateway: parameters, a batch in a transaction, errors, a time limit, many rows. */
public class MysqlClient {
    public static void main(String[] arguments) throws Exception {
        try (Connection connection = DriverManager.getConnection(arguments[0], arguments[1], arguments[2])) {
            values(connection);
            transactions(connection);
            errors(connection);
            many(connection);
        }
    }

    static void values(Connection connection) throws SQLException {
        String query = "SELECT ?, ?, ?, ?, ?, ?, 1.50::DECIMAL(5,2), true, DATE '2020-01-31', "
            + "TIMESTAMP '2020-01-31 10:11:12.5', 0.1::DOUBLE, 7::SMALLINT, 'x'::BLOB";
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            statement.setInt(1, 42);
            statement.setString(2, "it's \\ ü");
            statement.setLong(3, 1L << 40);
            statement.setDouble(4, 0.25);
            statement.setTimestamp(5, Timestamp.valueOf("2024-01-02 03:04:05.006"));
            statement.setNull(6, Types.VARCHAR);
            ResultSet row = statement.executeQuery();
            row.next();
            System.out.println("parameters " + row.getInt(1) + " " + row.getString(2) + " " + row.getLong(3) + " "
                + row.getDouble(4) + " " + row.getTimestamp(5) + " " + row.getObject(6));
            System.out.println("values " + row.getBigDecimal(7) + " " + row.getBoolean(8) + " " + row.getDate(9) + " "
                + row.getTimestamp(10) + " " + row.getDouble(11) + " " + row.getShort(12) + " " + row.getBytes(13)[0]);
        }
    }

    static void transactions(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE java_t (i INT, s VARCHAR)");
            connection.setAutoCommit(false);
            insert(connection);
            connection.rollback();
            System.out.println("after rollback " + count(statement));
            insert(connection);
            connection.commit();
            System.out.println("after commit " + count(statement));
            connection.commit();
            connection.setAutoCommit(true);
            statement.execute("DROP TABLE java_t");
        }
    }

    static void insert(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("INSERT INTO java_t VALUES (?, ?)")) {
            for (int number = 0; number < 3; number++) {
                statement.setInt(1, number);
                statement.setString(2, "v" + number);
                statement.addBatch();
            }
            System.out.println("inserted " + Arrays.stream(statement.executeBatch()).sum());
        }
    }

    static long count(Statement statement) throws SQLException {
        ResultSet row = statement.executeQuery("SELECT count(*) FROM java_t");
        row.next();
        return row.getLong(1);
    }

    static void errors(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeQuery("SELECT nope FROM nowhere");
        } catch (SQLException error) {
            System.out.println("error " + error.getErrorCode() + " " + error.getSQLState());
        }
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            statement.executeQuery("SELECT count(*) FROM range(100000000000) r(i) WHERE i % 7 = 3");
        } catch (SQLException error) {
            System.out.println("cancelled " + error.getErrorCode() + " " + error.getSQLState());
        }
    }

    static void many(Connection connection) throws SQLException {
        String query = "SELECT i, 'name-' || i, i * 0.5::DOUBLE, DATE '2020-01-01' FROM range(1000000) r(i)";
        long rows = 0;
        long sum = 0;
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            ResultSet row = statement.executeQuery();
            while (row.next()) {
                rows++;
                sum += row.getLong(1);
            }
        }
        System.out.println("rows " + rows + " " + sum);
    }
}
