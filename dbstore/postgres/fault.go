package postgres

import (
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rockstar-web/sessions/dbstore"
)

// faults by SQLSTATE, or its first two characters, the class.
var faults = map[string]dbstore.Fault{
	"40001": {Kind: dbstore.Retry},
	"40P01": {Kind: dbstore.Retry},
	"0A000": {Kind: dbstore.Retry}, // a cached plan is out of date
	"53100": {Kind: dbstore.Full, Remedy: "make room on the disk of the database server"},
	"53":    {Kind: dbstore.Busy, Remedy: "raise max_connections or the memory of the server, or lower MaxConns"},
	"55":    {Kind: dbstore.Busy, Remedy: "find out in pg_stat_activity what holds its locks"},
	"57014": {Kind: dbstore.Busy, Remedy: "the server cancelled it: look at statement_timeout and at what holds locks"},
	"57P03": {Kind: dbstore.Down, Remedy: "the server is starting or stopping: try again"},
	"42P01": {Kind: dbstore.Missing},
	"42501": {Kind: dbstore.Denied},
	"3F000": {Kind: dbstore.Denied, Remedy: "create the schema that Table names"},
	"25006": {Kind: dbstore.Denied, Remedy: "this server only reads: connect to the primary (target_session_attrs=read-write), with default_transaction_read_only off"},
	"28":    {Kind: dbstore.Down, Remedy: "look at user and password in the URL, and at pg_hba.conf"},
	"3D000": {Kind: dbstore.Down, Remedy: "look at the database's name in the URL, or create it"},
	"26000": {Kind: dbstore.Refused, Remedy: pooler},
	"42P05": {Kind: dbstore.Refused, Remedy: pooler},
	"08":    {Kind: dbstore.Lost},
	"57":    {Kind: dbstore.Lost},
	"58":    {Kind: dbstore.Lost},
	"XX":    {Kind: dbstore.Lost},
}

const pooler = "behind PgBouncer add default_query_exec_mode=cache_describe to the URL"

// Fault implements dbstore.Dialect.
func (dialect) Fault(err error) dbstore.Fault {
	var server *pgconn.PgError
	var connect *pgconn.ConnectError
	dialling := errors.As(err, &connect)
	if errors.As(err, &server) {
		f, known := byState(server.Code)
		switch {
		case known && !(dialling && f.Kind == dbstore.Lost):
			return f
		case dialling:
			return dbstore.Fault{Kind: dbstore.Down}
		case strings.HasPrefix(server.SeverityUnlocalized, "ERROR"):
			return dbstore.Fault{Kind: dbstore.Refused}
		}
		return dbstore.Fault{}
	}
	var state interface{ SQLState() string } // of other drivers
	if errors.As(err, &state) {
		f, known := byState(state.SQLState())
		if !known {
			f.Kind = dbstore.Refused
		}
		return f
	}
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		return dbstore.Fault{Kind: dbstore.Down, Remedy: "name the server as its certificate does, and the file of its authority in sslrootcert"}
	}
	if dialling || errors.Is(err, driver.ErrBadConn) || pgconn.SafeToRetry(err) {
		return dbstore.Fault{Kind: dbstore.Down}
	}
	return dbstore.Fault{}
}

func byState(code string) (f dbstore.Fault, known bool) {
	if f, known = faults[code]; !known {
		f, known = faults[code[:min(2, len(code))]]
	}
	return f, known
}
