package mysql

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
)

// TestAPoolWhoseStatementsWouldMeanSomethingElseIsRefused with what to set.
func TestAPoolWhoseStatementsWouldMeanSomethingElseIsRefused(t *testing.T) {
	name := newTable(t)
	for _, c := range []struct{ variable, value, shown string }{
		{"autocommit", "0", "OFF"},
		{"completion_type", "1", "CHAIN"},
		{"completion_type", "2", "RELEASE"},
		{"sql_select_limit", "10", "10"},
		{"sql_safe_updates", "1", "ON"},
		{"sql_mode", "'ORACLE'", "ORACLE"},
		{"sql_mode", "'EMPTY_STRING_IS_NULL'", "EMPTY_STRING_IS_NULL"},
		{isolation(t), "'READ-UNCOMMITTED'", "READ-UNCOMMITTED"},
	} {
		db := admin(t)
		db.SetMaxOpenConns(1)
		if _, err := db.Exec("SET " + c.variable + " = " + c.value); err != nil {
			require.Equal(t, "sql_mode", c.variable, err)
			t.Logf("the server does not know %s, which is MariaDB's: %v", c.value, err)
			continue
		}
		s, err := New(t.Context(), db, Options{Table: name})
		require.Nil(t, s)
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused, c)
		require.Contains(t, refused.Field, c.variable)
		require.Contains(t, refused.Value, c.shown)
		require.ErrorContains(t, err, "DSN")
		var there int
		require.NoError(t, admin(t).QueryRow("SELECT count(*) FROM information_schema.tables WHERE table_name = ?", name).Scan(&there))
		require.Zero(t, there, "nothing is made before")
	}
}

// isolation is the name that the server has for it.
func isolation(t *testing.T) (name string) {
	var value string
	require.NoError(t, admin(t).QueryRow("SHOW VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')").Scan(&name, &value))
	return name
}
