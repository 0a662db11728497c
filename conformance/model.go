package conformance

import (
	"crypto/rand"
	"encoding/binary"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/rockstar-web/sessions/hosts"
)

// Limits of the model test.
const (
	ModelRuns  = 200  // seeds of a TestModel
	shortRuns  = 20   // with -short, and as the corpus of a FuzzStore
	modelSteps = 1000 // store calls of one run
)

// TestModel runs several requests in the sessions of one user, with managers on a
// store that open returns. Store calls run one at a time, in an order that a seed
// chooses. Some have a fault: they are not made, lose their answer, are made twice,
// or are applied late. It checks that
//
//   - every answer of the store equals that of the simplest store in memory for the
//     same call, so that a seed gives the same run on every correct store;
//   - every acknowledged change is read later, or overwritten later;
//   - every counted change is counted once, even when an answer was lost;
//   - no update of a value, and no write of a value that was read, is lost;
//   - every value that is taken is taken by one request;
//   - a session that has ended stays ended, and a cookie from before a login or
//     renewal opens nothing after it.
//
// It runs the seeds 0 to ModelRuns-1, fewer with -short. A failure names its seed,
// and SEED=7 in the environment repeats that run alone; SEED=random tries other
// seeds, and RUNS=100000 so many, for a night.
func TestModel(t *testing.T, open func(t *testing.T) hosts.Store) {
	t.Helper()
	TestModelShared(t, func(t *testing.T) (a, b hosts.Store) {
		s := open(t)
		return s, s
	})
}

// TestModelShared is TestModel for a store that several processes share: open
// returns two handles, and half of the managers have the second.
func TestModelShared(t *testing.T, open func(t *testing.T) (a, b hosts.Store)) {
	t.Helper()
	a, b := open(t)
	for _, seed := range seeds(t) {
		playSeed(t, seed, a, b)
	}
}

// FuzzStore is TestModel for go test -fuzz: the fuzzer draws seeds until it is
// stopped, and each seed runs on a store of its own.
//
//	func FuzzStore(f *testing.F) { conformance.FuzzStore(f, open) }
func FuzzStore(f *testing.F, open func(t *testing.T) hosts.Store) {
	f.Helper()
	for seed := range uint64(shortRuns) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		s := open(t)
		playSeed(t, seed, s, s)
	})
}

func playSeed(t *testing.T, seed uint64, a, b hosts.Store) {
	t.Helper()
	if transcript, broken := play(t, seed, a, b, newMapStore()); broken != "" {
		t.Fatalf("%s\nSEED=%d repeats it. What happened:\n%s", broken, seed, strings.Join(transcript, "\n"))
	}
}

// seeds are those that the environment asks for, or the usual ones.
func seeds(t *testing.T) []uint64 {
	t.Helper()
	first, runs := uint64(0), uint64(ModelRuns)
	if testing.Short() {
		runs = shortRuns
	}
	switch text := os.Getenv("SEED"); text {
	case "":
	case "random":
		var drawn [8]byte
		_, _ = rand.Read(drawn[:]) // never fails
		first = binary.BigEndian.Uint64(drawn[:]) >> 16
	default:
		first, runs = number(t, "SEED", text), 1
	}
	if text := os.Getenv("RUNS"); text != "" {
		runs = number(t, "RUNS", text)
	}
	t.Logf("seeds %d to %d", first, first+runs-1)
	all := make([]uint64, runs)
	for i := range all {
		all[i] = first + uint64(i)
	}
	return all
}

func number(t *testing.T, name, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 32)
	if name == "SEED" {
		n, err = strconv.ParseUint(text, 10, 64)
	}
	if err != nil {
		t.Fatalf("%s is %q, want a number (SEED also \"random\")", name, text)
	}
	return n
}

// play makes one run. Broken is the first broken promise, "" if there is none.
//
// The requests are in a bubble, where pauses cost no time and it is known when
// all of them wait; the store is asked outside of it, by one goroutine, since
// it may have connections and goroutines of its own.
func play(t *testing.T, seed uint64, a, b, twin hosts.Store) (transcript []string, broken string) {
	return playFlawed(t, seed, a, b, twin, "")
}

func playFlawed(t *testing.T, seed uint64, a, b, twin hosts.Store, flaw string) (transcript []string, broken string) {
	return playWith(t, seed, a, b, twin, func(s *stage) { s.flaw = flaw })
}

func playWith(t *testing.T, seed uint64, a, b, twin hosts.Store, with func(*stage)) (transcript []string, broken string) {
	calls, done := make(chan func()), make(chan struct{})
	go func() {
		for call := range calls {
			call()
			done <- struct{}{}
		}
	}()
	defer close(calls)
	outside := func(call func()) {
		calls <- call
		<-done
	}
	synctest.Test(t, func(t *testing.T) {
		s := newStage(seed, [2]hosts.Store{a, b}, twin, outside)
		with(s)
		newScene(s).run()
		transcript, broken = s.transcript, s.broken
	})
	return transcript, broken
}
