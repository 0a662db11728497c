package fresh

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/hosts/feed"
	"github.com/rockstar-web/sessions/internal/soak"
)

// long is time enough for logouts to begin and to be acknowledged.
const long = 1500 * time.Millisecond

// upTo is a random time.
func upTo(d time.Duration) time.Duration { return rand.N(d) }

// stopAndKill stops a process for two seconds, and kills one, in turn.
func stopAndKill(s *story, enough func(), end <-chan struct{}) {
	for n := 0; ; n++ {
		p := s.pick()
		if n%2 == 0 {
			p.signal(syscall.SIGSTOP)
			wait(end, 2*time.Second)
			p.signal(syscall.SIGCONT)
		} else {
			p.kill()
			if !assert.NoError(s.t, p.run()) {
				return
			}
			enough()
		}
		s.faults.Add(1)
		if wait(end, 500*time.Millisecond+upTo(1500*time.Millisecond)) {
			return
		}
	}
}

// setClock sets the wall clock of one process, in turn back by minutes while the process
// or its way to the server is held up, so that it must find out by the other clock that
// what it knows is old, and several times back and forth by about a lease.
func setClock(ways []*conformance.Proxy) fault {
	return func(s *story, enough func(), end <-chan struct{}) {
		c := client()
		defer c.CloseIdleConnections()
		p := s.fleet[0]
		set := func(d, hold time.Duration) {
			_, _, err := call(c, p, "POST", fmt.Sprint("/clock?by=", d), "")
			assert.NoError(s.t, err)
			s.faults.Add(1)
			wait(end, hold)
		}
		hold, release := func() { p.signal(syscall.SIGSTOP) }, func() { p.signal(syscall.SIGCONT) }
		if len(ways) > 0 {
			hold, release = ways[0].Stall, ways[0].Resume
		}
		for !wait(end, 0) {
			set(-feed.Lease-upTo(10*time.Minute), 0)
			hold()
			wait(end, long+upTo(long))
			release()
			for range 4 {
				set(upTo(4*feed.Lease)-2*feed.Lease, upTo(feed.Lease))
			}
			set(upTo(10*time.Minute), upTo(feed.Lease))
			enough()
		}
	}
}

// cutAndSlow breaks the way of one process to the server, or of all of them: it cuts the
// connections, loses answers, holds everything up, or lets it through in bursts.
func cutAndSlow(ways []*conformance.Proxy) fault {
	return func(s *story, enough func(), end <-chan struct{}) {
		for n := 0; ; n++ {
			at := []*conformance.Proxy{ways[rand.IntN(len(ways))]}
			if n%5 == 4 {
				at = ways
			}
			var both sync.WaitGroup
			for _, way := range at {
				both.Go(func() { disturb(way, n%4, end) })
			}
			both.Wait()
			s.faults.Add(1)
			if n == 4 {
				enough()
			}
			if wait(end, 100*time.Millisecond+upTo(500*time.Millisecond)) {
				return
			}
		}
	}
}

func disturb(way *conformance.Proxy, kind int, end <-chan struct{}) {
	defer way.Resume()
	switch kind {
	case 0:
		way.Down()
		wait(end, upTo(600*time.Millisecond))
	case 1:
		way.Lose(-1)
		wait(end, upTo(600*time.Millisecond))
	case 2:
		way.Stall()
		wait(end, long+upTo(long))
	case 3:
		for range 10 {
			way.Stall()
			wait(end, upTo(400*time.Millisecond))
			way.Resume()
			wait(end, 5*time.Millisecond)
		}
	}
}

// holdOpen has four transactions at once open for long, by plain SQL. Two have written to
// a session of somebody before; two write when they end, after others that began later.
// Half of them delete: then nobody is shown the session once the commit is older than a
// lease.
func holdOpen(t *testing.T, driver, store string) fault {
	if driver == "mysql" {
		store = mysqlName(t, store)
	}
	db, err := sql.Open(driver, store)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	seconds := soak.Rounds(t, 2, 10)
	return func(s *story, enough func(), end <-chan struct{}) {
		c := client()
		defer c.CloseIdleConnections()
		for n := range 4 {
			s.post(c, fmt.Sprint("/login?user=holder", n), "")
		}
		for !wait(end, warm) {
			var all sync.WaitGroup
			for n := range 4 {
				all.Go(func() {
					h := holder{s, db, fmt.Sprint("holder", n), n%2 == 0}
					if h.hold(time.Duration(seconds)*time.Second, n < 2) {
						s.faults.Add(1)
					}
				})
			}
			all.Wait()
			if s.faults.Load() >= 4 {
				enough()
			}
		}
	}
}

func mysqlName(t *testing.T, store string) string {
	c := mysql.NewConfig()
	rest := strings.TrimPrefix(store, "mysql://")
	login, rest, ok := strings.Cut(rest, "@")
	require.True(t, ok)
	c.User, c.Passwd, _ = strings.Cut(login, ":")
	c.Net = "tcp"
	c.Addr, c.DBName, _ = strings.Cut(rest, "/")
	return c.FormatDSN()
}

// holder is one transaction.
type holder struct {
	s       *story
	db      *sql.DB
	own     string // a user of whom it has a session of its own
	deletes bool
}

// hold reports whether it has committed. The server may have it give way to others.
func (h holder) hold(d time.Duration, early bool) bool {
	tx, err := h.db.BeginTx(h.s.t.Context(), &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if !assert.NoError(h.s.t, err) {
		return false
	}
	defer tx.Rollback() //nolint:errcheck // committed, as a rule
	var users []string
	write := func() bool {
		users = h.s.some(2)
		for _, user := range users {
			text := "UPDATE sessions SET seen_at = seen_at + 1 WHERE user_id = '" + user + "'"
			if h.deletes {
				text = "DELETE FROM sessions WHERE user_id = '" + user + "'"
			}
			if _, err := tx.Exec(text); err != nil {
				return false
			}
		}
		return true
	}
	if _, err := tx.Exec("UPDATE sessions SET seen_at = seen_at + 1 WHERE user_id = '" + h.own + "'"); err != nil || early && !write() {
		return false
	}
	<-time.After(d)
	if !early && !write() {
		return false
	}
	var ended []*visit
	for _, user := range users {
		if v := h.s.visitOf(user); v != nil {
			ended = append(ended, v)
		}
	}
	if tx.Commit() != nil {
		return false
	}
	for _, v := range ended {
		if h.deletes {
			v.endsBy(time.Now().Add(feed.Wait))
		}
	}
	return true
}
