package hosts_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

const writers = 50

// adding is the config of sessions whose names add up.
func adding(c *clock) hosts.Config {
	return hosts.Config{Clock: c, Exclusive: []string{"seat"},
		Merge: map[string]core.MergeKind{"hits": core.MergeCounter, "tags": core.MergeSet}}
}

// crowd runs f for every writer at once, by turns on two managers, and returns
// their errors.
func crowd(a, b *site, f func(m *site, i int) error) []error {
	errs := make([]error, writers)
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range writers {
		all.Go(func() {
			m := a
			if i%2 == 1 {
				m = b
			}
			<-start
			errs[i] = f(m, i)
		})
	}
	close(start)
	all.Wait()
	return errs
}

// eachPair runs a test with one manager and with two, on every backend.
func eachPair(t *testing.T, test func(t *testing.T, a, b *site)) {
	for _, k := range backends {
		for _, two := range []bool{false, true} {
			t.Run(fmt.Sprint(k.name, ", two managers ", two), func(t *testing.T) {
				first, second := k.open(t)
				clock := newClock()
				a := open(t, first, adding(clock))
				b := a
				if two {
					b = open(t, second, adding(clock))
				}
				test(t, a, b)
			})
		}
	}
}

func TestWritersOfDifferentNamesLoseNothing(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *site) {
		id := a.create().ID
		for _, err := range crowd(a, b, func(m *site, i int) error { return m.Set(t.Context(), id, fmt.Sprint("name ", i), i) }) {
			require.NoError(t, err)
		}
		data := b.data(id)
		require.Len(t, data, writers)
		for i := range writers {
			require.Equal(t, i, data[fmt.Sprint("name ", i)])
		}
	})
}

func TestWritersOfOneNameLeaveTheLastWhole(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *site) {
		id := a.create().ID
		for _, err := range crowd(a, b, func(m *site, i int) error {
			return m.Set(t.Context(), id, "name", map[string]any{"writer": i, "again": i})
		}) {
			require.NoError(t, err)
		}
		got := b.data(id)["name"].(map[string]any)
		require.Equal(t, got["writer"], got["again"])
		require.NoError(t, a.Set(t.Context(), id, "name", "later"))
		require.Equal(t, "later", b.data(id)["name"])
	})
}

// Sessions loaded at the same version, saved one after the other.
func TestCountersAndSetsAddUp(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *site) {
		n := a.create()
		n.Data["hits"], n.Data["tags"] = 100, []string{"old", "kept"}
		require.NoError(t, a.Save(t.Context(), n))
		views := make([]*hosts.Session, writers)
		for i := range views {
			var err error
			views[i], err = a.Load(t.Context(), n.ID)
			require.NoError(t, err)
		}
		for _, err := range crowd(a, b, func(m *site, i int) error {
			v := views[i]
			v.Data["hits"] = v.Data["hits"].(int) + 1
			v.Data["tags"] = []string{"kept", fmt.Sprint("tag ", i)}
			return m.Save(t.Context(), v)
		}) {
			require.NoError(t, err)
		}
		data := b.data(n.ID)
		require.Equal(t, 100+writers, data["hits"])
		tags := data["tags"].([]string)
		require.Len(t, tags, writers+1)
		require.NotContains(t, tags, "old")
		require.Contains(t, tags, "kept")
	})
}

func TestExclusiveNamesHaveOneWinner(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *site) {
		n := a.create()
		views := make([]*hosts.Session, writers)
		for i := range views {
			var err error
			views[i], err = a.Load(t.Context(), n.ID)
			require.NoError(t, err)
		}
		errs := crowd(a, b, func(m *site, i int) error {
			views[i].Data["seat"] = i
			return m.Save(t.Context(), views[i])
		})
		winner := slices.Index(errs, nil)
		require.GreaterOrEqual(t, winner, 0)
		for i, err := range errs {
			if i != winner {
				require.ErrorIs(t, err, core.ErrConflict)
			}
		}
		require.Equal(t, winner, b.data(n.ID)["seat"])
	})
}

// Every third answer of the store is lost; every increment counts once. Where
// too many are lost in a row, or others have saved too often since, it is
// unknown whether it was applied, and it is not done again.
func TestLostAnswersCountOnce(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *site) {
		lossy := conformance.Faulty(a.store, func(call int, verb conformance.Verb) conformance.Fault {
			if verb == conformance.Save && call%3 == 0 {
				return conformance.LoseAnswer
			}
			return conformance.Pass
		})
		alone := a == b
		a = open(t, lossy, adding(a.clock))
		if alone {
			b = a
		}
		n := b.create()
		require.NoError(t, b.Set(t.Context(), n.ID, "hits", 0))
		done, unknown := 0, 0
		for _, err := range crowd(a, b, func(m *site, i int) error {
			v, err := m.Load(t.Context(), n.ID)
			if err != nil {
				return err
			}
			v.Data["hits"] = v.Data["hits"].(int) + 1
			return m.Save(t.Context(), v)
		}) {
			if isAny(err, hosts.ErrUnknown) {
				unknown++
				continue
			}
			require.NoError(t, err)
			done++
		}
		hits := a.data(n.ID)["hits"].(int)
		require.GreaterOrEqual(t, hits, done)
		require.LessOrEqual(t, hits, done+unknown)
		require.Less(t, unknown, writers/2)
	})
}

func TestEndedUnderWriters(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *site) {
		n := a.create()
		errs := crowd(a, b, func(m *site, i int) error {
			if i == writers/2 {
				return m.Destroy(t.Context(), n.ID)
			}
			return m.Set(t.Context(), n.ID, "name", i)
		})
		for i, err := range errs {
			if i == writers/2 {
				require.NoError(t, err)
				continue
			}
			require.True(t, err == nil || isAny(err, core.ErrEnded, core.ErrNotFound), "%v", err)
		}
		b.gone(n.ID)
		require.ErrorIs(t, b.Set(t.Context(), n.ID, "name", 1), core.ErrNotFound)
	})
}

// Another process is this test binary again, in the role of a counter.
const roleVariable = "HOSTS_TEST_COUNT_IN"

func TestMain(m *testing.M) {
	dir := os.Getenv(roleVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := countIn(dir); err != nil {
		fmt.Fprintln(os.Stderr, "counting process:", err)
		os.Exit(1)
	}
}

// countIn adds its own names and counts up in the session of a directory.
func countIn(dir string) (err error) {
	store, err := fsstore.Open(fsstore.Options{Dir: dir, Fast: true, Shared: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	c := adding(newClock())
	c.Key = key
	m, err := hosts.New(store, c)
	if err != nil {
		return err
	}
	defer m.Close()
	id, err := core.ParseID(os.Args[1])
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(os.Stdin, make([]byte, 1)); err != nil {
		return err
	}
	for i := range writers {
		n, err := m.Load(context.Background(), id)
		if err != nil {
			return err
		}
		n.Data["hits"] = n.Data["hits"].(int) + 1
		n.Data[fmt.Sprint(os.Args[2], " ", i)] = i
		if err := m.Save(context.Background(), n); err != nil {
			return err
		}
	}
	return nil
}

func TestTwoProcessesLoseNothing(t *testing.T) {
	dir := t.TempDir()
	m := open(t, files(t, dir), adding(newClock()))
	n := m.create()
	require.NoError(t, m.Set(t.Context(), n.ID, "hits", 0))
	var began []io.WriteCloser
	var running []*exec.Cmd
	for _, name := range []string{"first", "second"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], n.ID.String(), name)
		cmd.Env, cmd.Stderr = append(os.Environ(), roleVariable+"="+dir), os.Stderr
		stdin, err := cmd.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		began, running = append(began, stdin), append(running, cmd)
	}
	for _, stdin := range began {
		_, err := stdin.Write([]byte{1})
		require.NoError(t, err)
	}
	for i := range writers { // and this one
		require.NoError(t, m.Set(t.Context(), n.ID, fmt.Sprint("third ", i), i))
	}
	for _, cmd := range running {
		require.NoError(t, cmd.Wait())
	}
	data := m.data(n.ID)
	require.Equal(t, 2*writers, data["hits"])
	require.Len(t, data, 1+3*writers)
}
