package fresh

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
)

const settled = 2 * time.Second // between two failovers

// postgresPair is a primary and a standby that has each commit before it is acknowledged.
type postgresPair struct {
	t                *testing.T
	primary, standby *servers.OwnPostgres
}

func newPostgresPair(t *testing.T) *postgresPair {
	p := &postgresPair{t: t, primary: servers.NewPostgres(t)}
	p.primary.Start(p.open(p.primary).Ping)
	p.standby = p.primary.Standby()
	p.follow()
	return p
}

func (p *postgresPair) open(server *servers.OwnPostgres) *sql.DB {
	db, err := sql.Open("pgx", server.URL())
	require.NoError(p.t, err)
	p.t.Cleanup(func() { require.NoError(p.t, db.Close()) })
	return db
}

// follow starts the standby, and has the primary wait for it from then on.
func (p *postgresPair) follow() {
	p.standby.Start(p.open(p.standby).Ping)
	db := p.open(p.primary)
	p.waitFor(db, "*")
	servers.Eventually(p.t, "the standby has all commits", func() bool {
		var state string
		return db.QueryRow("SELECT sync_state FROM pg_stat_replication").Scan(&state) == nil && state == "sync"
	})
}

func (p *postgresPair) waitFor(db *sql.DB, standbys string) {
	for _, text := range []string{"ALTER SYSTEM SET synchronous_standby_names = '" + standbys + "'", "SELECT pg_reload_conf()"} {
		_, err := db.Exec(text)
		require.NoError(p.t, err)
	}
}

// failover kills the primary, promotes the standby, and puts a new one where the primary
// was.
func (p *postgresPair) failover() {
	p.primary.Kill()
	p.standby.Promote()
	p.primary, p.standby = p.standby, p.primary
	p.waitFor(p.open(p.primary), "")
	at := p.standby.Port
	p.standby = p.primary.Standby()
	p.standby.Port = at
	p.follow()
}

// redisPair is a primary and a replica under the eyes of a sentinel.
type redisPair struct {
	t                          *testing.T
	primary, replica, sentinel *servers.OwnRedis
}

func newRedisPair(t *testing.T) *redisPair {
	p := &redisPair{t: t, primary: servers.NewRedis(t)}
	p.replica, p.sentinel = p.primary.Replica(t), p.primary.Sentinel(t)
	p.watched()
	return p
}

// watched waits until both are in step. On a busy machine the sentinel may take the primary
// for down meanwhile, and have the other one take over again.
func (p *redisPair) watched() {
	servers.Eventually(p.t, "the sentinel knows the replica", func() bool {
		if p.replica.Shows(p.t, "role:master", "INFO", "replication") && p.primary.Shows(p.t, "role:slave", "INFO", "replication") {
			p.primary, p.replica = p.replica, p.primary
		}
		return p.replica.Shows(p.t, "master_link_status:up", "INFO", "replication") && p.sentinel.Shows(p.t, "slaves=1", "INFO", "sentinel")
	})
}

// failover has the replica take over: it is ordered, or the primary is killed, or hangs.
func (p *redisPair) failover(kind int) {
	again := func() {}
	switch kind {
	case 0:
		servers.Eventually(p.t, "the sentinel fails over", func() bool { return p.sentinel.Shows(p.t, "OK", "SENTINEL", "FAILOVER", "main") })
	case 1:
		p.primary.Kill()
		was, now := p.primary, p.replica
		again = func() { was.Begin(p.t, "--replicaof", fmt.Sprint("127.0.0.1 ", now.Port)) }
	case 2:
		again = p.primary.Freeze(p.t)
	}
	servers.Eventually(p.t, "the replica takes over", func() bool { return p.replica.Shows(p.t, "role:master", "INFO", "replication") })
	again()
	p.primary, p.replica = p.replica, p.primary
	p.watched()
}

// repeated makes each kind of failover in turn.
func repeated(kinds int, failover func(kind int)) fault {
	return func(s *story, enough func(), end <-chan struct{}) {
		for n := 0; !wait(end, settled); n++ {
			failover(n % kinds)
			if s.faults.Add(1) >= int64(kinds) {
				enough()
			}
		}
	}
}

// TestLogoutsAreFinalThroughFailovers: another server takes over, of which a logout was
// acknowledged, too.
func TestLogoutsAreFinalThroughFailovers(t *testing.T) {
	fleet := func(t *testing.T, args ...string) (fleet []*process) {
		for range 3 {
			fleet = append(fleet, start(t, append(args, "-cache", "8388608")...))
		}
		return fleet
	}
	t.Run("postgres standby promoted", func(t *testing.T) {
		p := newPostgresPair(t)
		both := fmt.Sprintf("postgres://postgres@%s,%s/postgres?sslmode=disable&target_session_attrs=read-write&connect_timeout=2", p.primary.Address(), p.standby.Address())
		play(t, fleet(t, "-store", both), repeated(1, func(int) { p.failover() }))
	})
	t.Run("redis sentinel failover", func(t *testing.T) {
		p := newRedisPair(t)
		play(t, fleet(t, "-store", "redis+sentinel://"+p.sentinel.Address()+"/main", "-replicas", "1"), repeated(3, p.failover))
	})
}
