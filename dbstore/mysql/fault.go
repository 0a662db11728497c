package mysql

import (
	"crypto/tls"
	sqldriver "database/sql/driver"
	"errors"
	"net"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"github.com/rockstar-web/sessions/dbstore"
)

const (
	taken      = 1062
	readOnly   = "this server only reads: connect to the primary"
	login      = "look at user and password in the URL"
	packetSize = "raise max_allowed_packet on the server, or keep less in sessions"
	space      = "make room on the disk of the database server"
)

// faults by the number of the server's error.
var faults = map[uint16]dbstore.Fault{
	1205:  {Kind: dbstore.Retry}, // the wait for a lock has ended; SaveMany undoes the rest
	1213:  {Kind: dbstore.Retry},
	1020:  {Kind: dbstore.Retry}, // a row has changed since the snapshot
	taken: {Kind: dbstore.Taken},
	1021:  {Kind: dbstore.Full, Remedy: space},
	1114:  {Kind: dbstore.Full, Remedy: space},
	1040:  {Kind: dbstore.Busy, Remedy: "raise max_connections, or lower MaxConns"},
	1203:  {Kind: dbstore.Busy, Remedy: "raise max_user_connections, or lower MaxConns"},
	1226:  {Kind: dbstore.Busy, Remedy: "raise the limits of the user, or lower MaxConns"},
	1317:  {Kind: dbstore.Busy, Remedy: "somebody has stopped the statement"},
	1969:  {Kind: dbstore.Busy, Remedy: "the server's max_statement_time is over: find out what holds its locks"},
	3024:  {Kind: dbstore.Busy, Remedy: "the server's max_execution_time is over: find out what holds its locks"},
	1146:  {Kind: dbstore.Missing},
	1044:  {Kind: dbstore.Denied},
	1142:  {Kind: dbstore.Denied},
	1143:  {Kind: dbstore.Denied},
	1227:  {Kind: dbstore.Denied},
	1290:  {Kind: dbstore.Denied, Remedy: readOnly},
	1792:  {Kind: dbstore.Denied, Remedy: readOnly},
	1836:  {Kind: dbstore.Denied, Remedy: readOnly},
	1045:  {Kind: dbstore.Down, Remedy: login},
	1698:  {Kind: dbstore.Down, Remedy: login},
	1049:  {Kind: dbstore.Down, Remedy: "look at the database's name in the URL, or create it"},
	1153:  {Kind: dbstore.TooLarge, Remedy: packetSize},
	1665:  {Kind: dbstore.Refused, Remedy: "set binlog_format to ROW or MIXED"},
	1053:  {Kind: dbstore.Lost},
	1180:  {Kind: dbstore.Lost},
	1927:  {Kind: dbstore.Lost},
	4031:  {Kind: dbstore.Lost},
}

// unsettled is an error of a COMMIT: whether it was done is not known.
type unsettled struct{ error }

func (e unsettled) Unwrap() error { return e.error }

// Fault implements dbstore.Dialect.
func (dialect) Fault(err error) dbstore.Fault {
	var server *driver.MySQLError
	var dial *net.OpError
	var commit unsettled
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &commit):
		if errors.As(err, &server) && faults[server.Number].Kind == dbstore.Retry {
			return dbstore.Fault{Kind: dbstore.Retry} // a cluster has undone it
		}
		return dbstore.Fault{}
	case errors.As(err, &server):
		f, known := faults[server.Number]
		switch {
		case known:
			return f
		case server.Number == 1105 && strings.Contains(server.Message, "max_allowed_packet"):
			return dbstore.Fault{Kind: dbstore.TooLarge, Remedy: packetSize}
		case server.Number == 1030 && strings.Contains(server.Message, "error 28"):
			return dbstore.Fault{Kind: dbstore.Full, Remedy: space}
		}
		return dbstore.Fault{Kind: dbstore.Refused}
	case errors.Is(err, driver.ErrPktTooLarge):
		return dbstore.Fault{Kind: dbstore.TooLarge, Remedy: packetSize}
	case errors.Is(err, sqldriver.ErrBadConn), errors.As(err, &dial) && dial.Op == "dial":
		return dbstore.Fault{Kind: dbstore.Down}
	case errors.As(err, &untrusted):
		return dbstore.Fault{Kind: dbstore.Down, Remedy: "name the server as its certificate does, and the file of its authority in tls_ca"}
	case errors.Is(err, driver.ErrNoTLS):
		return dbstore.Fault{Kind: dbstore.Down, Remedy: "the server offers no TLS: set it up there, or leave tls out of the URL"}
	}
	return dbstore.Fault{}
}

func isTaken(err error) bool {
	var server *driver.MySQLError
	return errors.As(err, &server) && server.Number == taken
}

func ignoreTaken(err error) error {
	if isTaken(err) {
		return nil
	}
	return err
}
