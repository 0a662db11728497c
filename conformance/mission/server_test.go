package mission

import (
	"database/sql"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	_ "github.com/ncruces/go-sqlite3/driver" // "sqlite3"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"
)

// database connects past the store to where its sessions are, and returns
// their table.
func (s *site) database() (db *sql.DB, table string) {
	name := s.b.url(s.t, s.setup.dir)
	driver, source := "pgx", name
	scratch := s.b.namespace(s.t, s.setup.dir).Name()
	table = "sessions_" + scratch
	switch s.b.name {
	case "sqlite":
		table = "sessions"
		driver, source = "sqlite3", "file:"+strings.TrimPrefix(name, "sqlite:")+"."+scratch+"?mode=ro"
	case "mysql":
		u, err := url.Parse(name)
		require.NoError(s.t, err)
		password, _ := u.User.Password()
		driver, source = "mysql", fmt.Sprintf("%s:%s@tcp(%s)%s", u.User.Username(), password, u.Host, u.Path)
	}
	db, err := sql.Open(driver, source)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, db.Close()) })
	return db, table
}

// rows returns what a query answers, each row as text.
func (s *site) rows(query string, args ...any) (all []string) {
	s.t.Helper()
	db, table := s.database()
	rows, err := db.QueryContext(s.t.Context(), strings.ReplaceAll(query, "TABLE", table), args...)
	require.NoError(s.t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(s.t, err)
	for rows.Next() {
		cells := make([]sql.RawBytes, len(columns))
		into := make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		require.NoError(s.t, rows.Scan(into...))
		var text []string
		for _, c := range cells {
			text = append(text, string(c))
		}
		all = append(all, strings.Join(text, " "))
	}
	require.NoError(s.t, rows.Err())
	return all
}

// inServer returns all that a server keeps of the sessions.
func (s *site) inServer() string {
	switch s.b.name {
	case "postgres", "mysql":
		return strings.Join(s.rows("SELECT * FROM TABLE"), "\n")
	case "redis", "cluster":
		return s.keys()
	}
	return ""
}

// keys returns all keys of the namespace with their values.
func (s *site) keys() string {
	_, addresses, _ := strings.Cut(s.b.url(s.t, s.setup.dir), "://")
	addresses, _, _ = strings.Cut(addresses, "/")
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: strings.Split(addresses, ","), DisableCache: true})
	require.NoError(s.t, err)
	defer c.Close()
	ctx, b := s.t.Context(), c.B()
	seen := map[string]string{}
	for _, node := range c.Nodes() {
		for cursor, more := uint64(0), true; more; more = cursor != 0 {
			page, err := node.Do(ctx, b.Scan().Cursor(cursor).Match("*"+s.b.namespace(s.t, s.setup.dir).Name()+"*").Build()).AsScanEntry()
			require.NoError(s.t, err)
			cursor = page.Cursor
			for _, key := range page.Elements {
				value, err := c.Do(ctx, b.Get().Key(key).Build()).ToString()
				if err != nil { // a set
					list, err := c.Do(ctx, b.Zrange().Key(key).Min("0").Max("-1").Build()).AsStrSlice()
					require.NoError(s.t, err)
					value = strings.Join(list, "\n")
				}
				seen[key] = key + "\n" + value
			}
		}
	}
	require.NotEmpty(s.t, seen)
	var all []string
	for _, key := range slices.Sorted(maps.Keys(seen)) {
		all = append(all, seen[key])
	}
	return strings.Join(all, "\n")
}
