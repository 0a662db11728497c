package mysql

import (
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	driver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/dbstore"
)

// TestFaults are those that no test can have a server make.
func TestFaults(t *testing.T) {
	refused := func(number uint16) error {
		return fmt.Errorf("wrapped: %w", &driver.MySQLError{Number: number, Message: "of the server"})
	}
	for _, c := range []struct {
		err  error
		want dbstore.Kind
	}{
		{refused(1213), dbstore.Retry},
		{refused(1205), dbstore.Retry},
		{refused(1062), dbstore.Taken},
		{refused(1114), dbstore.Full},
		{refused(1021), dbstore.Full},
		{&driver.MySQLError{Number: 1030, Message: "Got error 28 from storage engine"}, dbstore.Full},
		{refused(1030), dbstore.Refused},
		{refused(1040), dbstore.Busy},
		{refused(1969), dbstore.Busy},
		{refused(1146), dbstore.Missing},
		{refused(1142), dbstore.Denied},
		{refused(1290), dbstore.Denied},
		{refused(1045), dbstore.Down},
		{refused(1153), dbstore.TooLarge},
		{&driver.MySQLError{Number: 1105, Message: "Parameter ... is longer than 'max_allowed_packet' bytes"}, dbstore.TooLarge},
		{driver.ErrPktTooLarge, dbstore.TooLarge},
		{refused(1053), dbstore.Lost},
		{refused(4025), dbstore.Refused},
		{unsettled{refused(1213)}, dbstore.Retry},
		{unsettled{refused(1317)}, dbstore.Lost},
		{unsettled{io.EOF}, dbstore.Lost},
		{sqldriver.ErrBadConn, dbstore.Down},
		{&net.OpError{Op: "dial", Err: io.EOF}, dbstore.Down},
		{&net.OpError{Op: "read", Err: io.EOF}, dbstore.Lost},
		{driver.ErrInvalidConn, dbstore.Lost},
		{driver.ErrNoTLS, dbstore.Down},
		{errors.New("anything else"), dbstore.Lost},
	} {
		require.Equal(t, c.want, dialect{}.Fault(c.err).Kind, c.err)
	}
}
