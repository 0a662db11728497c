package mysql

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/hosts"
)

func TestURL(t *testing.T) {
	var o Options
	c, err := parse("mysql://ada:p%40ss%2F@[::1]:3307/app?table=web&migrate=false&max_conns=5&tls=preferred", &o)
	require.NoError(t, err)
	require.Equal(t, Options{Table: "web", NoMigrate: true, MaxConns: 5}, o)
	require.Equal(t, []string{"ada", "p@ss/", "tcp", "[::1]:3307", "app", "preferred"}, []string{c.User, c.Passwd, c.Net, c.Addr, c.DBName, c.TLSConfig})

	c, err = parse("mysql://db.example.org/app", &Options{})
	require.NoError(t, err)
	require.Equal(t, "db.example.org:3306", c.Addr)

	c, err = parse("mysql://ada@/app?socket=/run/mysqld/mysqld.sock", &Options{})
	require.NoError(t, err)
	require.Equal(t, []string{"unix", "/run/mysqld/mysqld.sock"}, []string{c.Net, c.Addr})

	for text, shown := range map[string]string{"mysql://ada:hunter2@/app": "mysql:...", "mysql:hunter2": "mysql:...", "mysql://ada:hunter%2@h/app": "mysql:...", "hunter2": "..."} {
		_, err = parse(text, &Options{})
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused)
		require.EqualError(t, err, `URL is "`+shown+`"; allowed: mysql://user:password@host:port/database, with special characters percent-encoded`)
	}
}

func TestAuthoritiesOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	read := func(mode string) error {
		_, err := parse("mysql://h/d?tls="+mode+"&tls_ca="+file, &Options{})
		return err
	}
	require.ErrorIs(t, read("true"), os.ErrNotExist)
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("none")}), 0o600))
	var refused *hosts.ConfigError
	require.ErrorAs(t, read("true"), &refused)
	require.Contains(t, refused.Allowed, "PEM")
	require.ErrorAs(t, read("skip-verify"), &refused)
	require.Contains(t, refused.Allowed, "tls=true")
}

// TestTLSIsNotGivenUp: a URL that asks for it fails before a server without it,
// and before one whose certificate nobody vouches for.
func TestTLSIsNotGivenUp(t *testing.T) {
	s, err := Open(t.Context(), servers.MySQL(t)+"?table="+newTable(t)+"&tls=true", Options{})
	require.Nil(t, s)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.Regexp(t, "leave tls out|tls_ca", err.Error())
}
