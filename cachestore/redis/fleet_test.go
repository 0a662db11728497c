package redis

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
)

// fleet is a private cluster of three primaries with a replica each.
type fleet []*process

// startFleet starts one that fails over when a node is silent for so long.
func startFleet(t *testing.T, silence time.Duration) fleet {
	t.Helper()
	cli := servers.Program(t, "redis-cli")
	var f fleet
	create := []string{"--cluster", "create"}
	for range 6 {
		p := start(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(servers.FreePort(t)), "--cluster-node-timeout", strconv.FormatInt(silence.Milliseconds(), 10), "--repl-diskless-sync-delay", "0")
		f = append(f, p)
		create = append(create, p.Address())
	}
	out, err := exec.Command(cli, append(create, "--cluster-replicas", "1", "--cluster-yes")...).CombinedOutput()
	require.NoError(t, err, string(out))
	eventually(t, "all nodes are in step", func() bool {
		for _, p := range f {
			if !p.Shows(t, "cluster_state:ok", "CLUSTER", "INFO") ||
				!p.Shows(t, "connected_slaves:1", "INFO", "replication") && !p.Shows(t, "master_link_status:up", "INFO", "replication") {
				return false
			}
		}
		return true
	})
	return f
}

func (f fleet) url() string {
	var all []string
	for _, p := range f {
		all = append(all, p.Address())
	}
	return "redis+cluster://" + strings.Join(all, ",")
}

// self is what a node says of itself: its ID and the slots it has, if it is a
// primary.
func (p *process) self(t *testing.T) (id string, slots [][2]int) {
	for line := range strings.Lines(p.do(t, "CLUSTER", "NODES")) {
		fields := strings.Fields(line)
		if len(fields) < 8 || !strings.Contains(fields[2], "myself") {
			continue
		}
		id = fields[0]
		for _, text := range fields[8:] {
			first, last, isRange := strings.Cut(text, "-")
			if !isRange {
				last = first
			}
			a, err1 := strconv.Atoi(first)
			b, err2 := strconv.Atoi(last)
			if err1 == nil && err2 == nil {
				slots = append(slots, [2]int{a, b})
			}
		}
	}
	return id, slots
}

// slotOf is the slot of a shard.
func slotOf(s *Store, shard int) int {
	c := s.server.client.B().Get().Key(s.server.shards[shard].index).Build()
	return int(c.Slot())
}

// owner is the primary that has a session.
func (f fleet) owner(t *testing.T, s *Store, id core.ID) *process {
	slot := slotOf(s, int(id[0]))
	for _, p := range f {
		_, slots := p.self(t)
		for _, r := range slots {
			if slot >= r[0] && slot <= r[1] {
				return p
			}
		}
	}
	t.Fatalf("no node has slot %d", slot)
	return nil
}

// oneOfEach is a new record in every shard.
func oneOfEach() []core.Record {
	all := make([]core.Record, shardCount)
	for i := range all {
		all[i] = newRecord()
		all[i].ID[0] = byte(i)
	}
	return all
}

// startSentinel watches a primary under the name main.
func startSentinel(t *testing.T, primary *process) *process { return &process{primary.Sentinel(t)} }

// startReplica follows a primary.
func startReplica(t *testing.T, primary *process) *process { return &process{primary.Replica(t)} }
