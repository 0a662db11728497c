package slots

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

const sectorSize = 512 // what a disk writes whole

// modelDisk is the medium of a file on a disk that may lose its power: what was
// written and not synced has reached the disk or not, each sector for itself.
type modelDisk struct {
	rand   *rand.Rand
	cached []byte // what programs read
	synced []byte // what is left when the power fails
	killed bool   // the writer ends before its next sync
	torn   bool   // the power fails in its next sync
	syncs  int
}

var errKilled = errors.New("the program was killed")

func (d *modelDisk) WriteAt(b []byte, at int64) (int, error) {
	n := copy(d.cached[at:], b)
	d.writeBack(0.1)
	return n, nil
}

func (d *modelDisk) datasync() error {
	if d.killed {
		return errKilled
	}
	if d.torn {
		d.fail()
		return errKilled
	}
	copy(d.synced, d.cached)
	d.syncs++
	return nil
}

func (d *modelDisk) syncNames() error {
	d.syncs++
	return nil
}

// writeBack is what the system does by itself at any time.
func (d *modelDisk) writeBack(share float64) {
	for at := 0; at < len(d.cached); at += sectorSize {
		if d.rand.Float64() < share {
			copy(d.synced[at:at+sectorSize], d.cached[at:])
		}
	}
}

func (d *modelDisk) fail() {
	d.writeBack(d.rand.Float64())
	copy(d.cached, d.synced)
}

// modelRun is one session on such a disk, saved by durable and by fast writers.
type modelRun struct {
	disk      *modelDisk
	size      int
	attempted int // the last state that anybody tried to save
	promised  int // the last state that survives, as a durable writer was told
	unsynced  int // writes since
}

func (m *modelRun) state(n int) core.Record {
	r := sample()
	r.Version = core.Version(n)
	r.Sealed = bytes.Repeat([]byte{byte(n), byte(n >> 8)}, m.size/2)
	return r
}

func newModelRun(r *rand.Rand, size int) *modelRun {
	m := &modelRun{size: size, attempted: 1, promised: 1, disk: &modelDisk{rand: r}}
	first := m.state(1)
	half := pagesFor(&first) * pageSize
	b := make([]byte, 2*half)
	copy(b[half:], b[:copy(b, encode(&first, 1, 0, half/pageSize))])
	m.disk.cached, m.disk.synced = b, bytes.Clone(b)
	return m
}

// hold reads the session, as whoever gets its lock does.
func (m *modelRun) hold() (*held, error) {
	h := &held{id: sample().ID, path: "model", medium: m.disk, pair: new(pair)}
	err := h.pair.read(bytes.NewReader(m.disk.cached), int64(len(m.disk.cached)), h.id, true)
	if err == nil {
		h.at, err = h.pair.newest()
	}
	return h, err
}

func (m *modelRun) save(fast bool) {
	h, err := m.hold()
	if err != nil {
		return // told by check
	}
	m.attempted++
	next := m.state(m.attempted)
	s := &Store{fast: fast}
	switch err := s.overwrite(context.Background(), h, &next); {
	case errors.Is(err, hosts.ErrUnknown):
		m.unsynced = 1 // what it has left standing was synced
	case err != nil:
	case fast:
		m.unsynced++
	default:
		m.promised, m.unsynced = m.attempted, 0
	}
}

// again sends the save that the session has once more, which settles it.
func (m *modelRun) again() {
	h, err := m.hold()
	if err == nil && h.settle() == nil {
		m.promised, m.unsynced = int(h.slot().record.Version), 0
	}
}

// check finds a whole state, none older than what was promised. A fast save may
// be the second write without a sync, over the slot that was on the disk: then a
// power failure may take the session.
func (m *modelRun) check() error {
	h, err := m.hold()
	if err != nil {
		if m.unsynced >= 2 {
			return nil
		}
		return fmt.Errorf("%d was promised: %w", m.promised, err)
	}
	r, _ := h.pair.choose(h.at, nil)
	n := int(r.Version)
	want := m.state(n)
	switch {
	case n > m.attempted || !bytes.Equal(r.Sealed, want.Sealed):
		return fmt.Errorf("state %d was never saved", n)
	case n < m.promised && m.unsynced < 2:
		return fmt.Errorf("state %d is served, %d was promised", n, m.promised)
	}
	return nil
}

// Whatever kills writers and takes the power away, in any order: what a durable
// save has acknowledged, or something after it, is there and whole.
func TestAcknowledgedStatesSurviveAnything(t *testing.T) {
	const steps = 30
	for seed := range soak.Rounds[uint64](t, 100, 20_000) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := newModelRun(r, []int{40, 1000, 9000}[seed%3])
		var done []string
		for range steps {
			m.disk.killed, m.disk.torn = false, false
			step := r.IntN(10)
			switch {
			case step < 4:
				done = append(done, "save")
				m.save(false)
			case step < 5:
				done = append(done, "fast save")
				m.save(true)
			case step < 6:
				done = append(done, "killed before its sync")
				m.disk.killed = true
				m.save(false)
			case step < 7:
				done = append(done, "power fails in its sync")
				m.disk.torn = true
				m.save(false)
			case step < 8:
				done = append(done, "same save again")
				m.again()
			default:
				done = append(done, "power fails")
				m.disk.fail()
			}
			require.NoError(t, m.check(), "seed %d: %v", seed, done)
			h, err := m.hold()
			if err != nil {
				break // what check lets pass
			}
			if step >= 8 || m.disk.torn { // what is read now is on the disk
				m.unsynced, m.promised = 0, min(m.promised, int(h.slot().record.Version))
			}
		}
	}
}

// A durable save costs one sync, however often a session is saved; only after a
// writer that has not synced does it make up for that, once.
func TestSavesInPlaceSyncOnce(t *testing.T) {
	m := newModelRun(rand.New(rand.NewPCG(1, 1)), 300)
	cost := func(fast bool) int {
		before := m.disk.syncs
		m.save(fast)
		return m.disk.syncs - before
	}
	require.Equal(t, 3, cost(false)) // the model's first state has no note
	for range 5 {
		require.Equal(t, 1, cost(false))
	}
	require.Equal(t, 0, cost(true))
	require.Equal(t, 0, cost(true))
	require.Equal(t, 3, cost(false))
	require.Equal(t, 1, cost(false))
	require.NoError(t, m.check())
}
