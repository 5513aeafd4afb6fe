import java.sql.*;
import java.util.*;

/** Prints what java.sql.DatabaseMetaData says, one answer per line. */
public class Metadata {
    static String rows(ResultSet found, String... columns) throws SQLException {
        List<String> lines = new ArrayList<>();
        while (found.next()) {
            List<String> cells = new ArrayList<>();
            for (String column : columns) cells.add(String.valueOf(found.getString(column)));
            lines.add(String.join("/", cells));
        }
        return String.join(" ", lines);
    }

    interface Question { String ask() throws SQLException; }

    static void say(String name, Question question) {
        try { System.out.println(name + ": " + question.ask()); }
        catch (SQLException error) { System.out.println(name + " FAILED: " + error.getSQLState() + " " + error.getMessage()); }
    }

    public static void main(String[] arguments) throws Exception {
        Properties login = new Properties();
        login.setProperty("user", arguments[1]);
        login.setProperty("password", System.getenv("PGPASSWORD"));
        login.setProperty("sslmode", "require");
        try (Connection connection = DriverManager.getConnection(arguments[0], login)) {
            DatabaseMetaData meta = connection.getMetaData();
            say("product", () -> meta.getDatabaseProductName() + " " + meta.getDatabaseMajorVersion());
            say("user", meta::getUserName);
            say("catalog", connection::getCatalog);
            say("schema", connection::getSchema);
            say("keywords", () -> String.valueOf(meta.getSQLKeywords().length() > 100));
            say("longest", () -> String.valueOf(meta.getMaxColumnNameLength()));
            say("catalogs", () -> rows(meta.getCatalogs(), "TABLE_CAT"));
            say("schemas", () -> rows(meta.getSchemas(), "TABLE_SCHEM"));
            say("types of tables", () -> rows(meta.getTableTypes(), "TABLE_TYPE"));
            say("tables", () -> rows(meta.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"}), "TABLE_NAME", "TABLE_TYPE", "REMARKS"));
            say("all tables", () -> String.valueOf(rows(meta.getTables(null, null, null, null), "TABLE_NAME").contains("pg_class")));
            say("columns", () -> rows(meta.getColumns(null, "public", "orders", "%"), "COLUMN_NAME", "TYPE_NAME", "DATA_TYPE", "COLUMN_SIZE", "DECIMAL_DIGITS", "NULLABLE", "COLUMN_DEF", "REMARKS", "ORDINAL_POSITION"));
            say("primary keys", () -> rows(meta.getPrimaryKeys(null, "public", "orders"), "COLUMN_NAME"));
            say("imported keys", () -> rows(meta.getImportedKeys(null, "public", "orders"), "FKCOLUMN_NAME"));
            say("exported keys", () -> rows(meta.getExportedKeys(null, "public", "orders"), "FKCOLUMN_NAME"));
            say("indexes", () -> rows(meta.getIndexInfo(null, "public", "orders", false, true), "INDEX_NAME"));
            say("best row", () -> rows(meta.getBestRowIdentifier(null, "public", "orders", 0, true), "COLUMN_NAME"));
            say("versions", () -> rows(meta.getVersionColumns(null, "public", "orders"), "COLUMN_NAME"));
            say("table privileges", () -> rows(meta.getTablePrivileges(null, "public", "orders"), "GRANTEE", "PRIVILEGE"));
            say("column privileges", () -> rows(meta.getColumnPrivileges(null, "public", "orders", "note"), "GRANTEE", "PRIVILEGE"));
            say("procedures", () -> rows(meta.getProcedures(null, null, "%"), "PROCEDURE_NAME"));
            say("functions", () -> rows(meta.getFunctions(null, null, "%"), "FUNCTION_NAME"));
            say("types", () -> String.valueOf(rows(meta.getTypeInfo(), "TYPE_NAME").contains("int8")));
            say("user types", () -> rows(meta.getUDTs(null, null, "%", null), "TYPE_NAME"));
            say("client settings", () -> rows(meta.getClientInfoProperties(), "NAME"));
            say("of a result", () -> {
                try (Statement statement = connection.createStatement();
                        ResultSet found = statement.executeQuery("SELECT id, note, amount FROM orders")) {
                    ResultSetMetaData columns = found.getMetaData();
                    return columns.getColumnTypeName(1) + " " + columns.getColumnClassName(3) + " " + columns.isNullable(1) + " " + columns.getTableName(1);
                }
            });
        }
    }
}
