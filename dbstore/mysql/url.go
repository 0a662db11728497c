package mysql

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

const (
	form           = "mysql://user:password@host:port/database"
	defaultPort    = "3306"
	connectTimeout = 10 * time.Second // to a server
	lockTimeout    = "10"             // seconds that the server lets a statement wait, also when its caller has gone
)

// parse reads the URL and moves our own parameters to o. What url.Parse says may
// have the password in it and is left out.
func parse(text string, o *Options) (*driver.Config, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "mysql" || u.Opaque != "" || len(u.Path) < 2 || strings.Contains(u.Path[1:], "/") {
		return nil, unreadable(text)
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, unreadable(text)
	}
	var socket, tlsMode, tlsCA string
	migrate := !o.NoMigrate
	err = dbstore.TakeQuery(q, map[string]any{"table": &o.Table, "migrate": &migrate, "max_conns": &o.MaxConns,
		"socket": &socket, "tls": &tlsMode, "tls_ca": &tlsCA})
	if err != nil {
		return nil, err
	}
	o.NoMigrate = !migrate
	if len(q) > 0 {
		return nil, &hosts.ConfigError{Field: "URL parameter", Value: slices.Sorted(maps.Keys(q))[0],
			Allowed: "table, migrate, max_conns, socket, tls, tls_ca"}
	}
	c := driver.NewConfig()
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.DBName = u.Path[1:]
	c.Timeout = connectTimeout
	c.Params = pinned()
	c.InterpolateParams = true // a batch is one round trip
	c.MaxAllowedPacket = 0     // what the server says
	c.Logger = &driver.NopLogger{}
	switch {
	case socket != "":
		c.Net, c.Addr = "unix", socket
	case u.Hostname() == "":
		return nil, unreadable(text)
	default:
		port := u.Port()
		if port == "" {
			port = defaultPort
		}
		c.Net, c.Addr = "tcp", net.JoinHostPort(u.Hostname(), port)
	}
	return c, secure(c, tlsMode, tlsCA, u.Hostname())
}

// unreadable shows of a URL only the scheme.
func unreadable(text string) error {
	shown := "..."
	if strings.HasPrefix(text, "mysql:") {
		shown = "mysql:..."
	}
	return &hosts.ConfigError{Field: "URL", Value: shown, Allowed: form + ", with special characters percent-encoded"}
}

// secure sets up TLS: with the system's authorities, or those of a file.
func secure(c *driver.Config, mode, ca, host string) error {
	if !slices.Contains([]string{"", "true", "false", "preferred", "skip-verify"}, mode) {
		return &hosts.ConfigError{Field: "URL parameter tls", Value: mode, Allowed: "true, false, preferred, skip-verify"}
	}
	c.TLSConfig = mode
	if ca == "" {
		return nil
	}
	if mode != "true" {
		return &hosts.ConfigError{Field: "URL parameter tls_ca", Value: ca, Allowed: "only with tls=true"}
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return fmt.Errorf("URL parameter tls_ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return &hosts.ConfigError{Field: "URL parameter tls_ca", Value: ca, Allowed: "a file with certificates in PEM"}
	}
	c.TLSConfig, c.TLS = "", &tls.Config{RootCAs: pool, ServerName: host, MinVersion: tls.VersionTLS12}
	return nil
}
