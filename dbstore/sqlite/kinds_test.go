package sqlite

import (
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/dbstore"
)

// What SQLite says of a file that may not be written comes before it writes. After
// an error of the disk nobody knows.
func TestKindsOfFaults(t *testing.T) {
	for code, want := range map[sqlite3.ExtendedErrorCode]dbstore.Kind{
		sqlite3.ExtendedErrorCode(sqlite3.READONLY): dbstore.Denied, sqlite3.READONLY_DBMOVED: dbstore.Denied,
		sqlite3.ExtendedErrorCode(sqlite3.PERM): dbstore.Denied, sqlite3.ExtendedErrorCode(sqlite3.FULL): dbstore.Full,
		sqlite3.ExtendedErrorCode(sqlite3.IOERR): dbstore.Lost, sqlite3.IOERR_FSYNC: dbstore.Lost,
		sqlite3.ExtendedErrorCode(sqlite3.CORRUPT): dbstore.Lost,
	} {
		require.Equal(t, want, (&dialect{}).Fault(code).Kind, code.Error())
	}
}
