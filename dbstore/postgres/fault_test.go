package postgres

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/dbstore"
)

// TestFaults are those that no test can have a server make.
func TestFaults(t *testing.T) {
	refused := func(code string) error {
		return fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: code, SeverityUnlocalized: "ERROR"})
	}
	for _, c := range []struct {
		err  error
		want dbstore.Kind
	}{
		{refused("40001"), dbstore.Retry},
		{refused("40P01"), dbstore.Retry},
		{refused("0A000"), dbstore.Retry},
		{refused("53100"), dbstore.Full},
		{refused("53300"), dbstore.Busy},
		{refused("55P03"), dbstore.Busy},
		{refused("57014"), dbstore.Busy},
		{refused("42P01"), dbstore.Missing},
		{refused("42501"), dbstore.Denied},
		{refused("25006"), dbstore.Denied},
		{refused("28P01"), dbstore.Down},
		{refused("3D000"), dbstore.Down},
		{refused("57P03"), dbstore.Down},
		{refused("23514"), dbstore.Refused},
		{refused("08006"), dbstore.Lost},
		{refused("58030"), dbstore.Lost},
		{refused("XX000"), dbstore.Lost},
		{refused(""), dbstore.Refused},
		{&pgconn.PgError{Code: "57P01", SeverityUnlocalized: "FATAL"}, dbstore.Lost},
		{&pgconn.PgError{Code: "99999", SeverityUnlocalized: "FATAL"}, dbstore.Lost},
		{driver.ErrBadConn, dbstore.Down},
		{io.ErrUnexpectedEOF, dbstore.Lost},
		{errors.New("anything else"), dbstore.Lost},
	} {
		require.Equal(t, c.want, dialect{}.Fault(c.err).Kind, c.err)
	}
}
