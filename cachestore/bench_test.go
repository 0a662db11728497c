package cachestore

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/metrics"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
)

const (
	million     = 1_000_000
	sealedBytes = 200
)

var sealedText = bytes.Repeat([]byte("s"), sealedBytes)

// recordOf returns a new record that shares no memory with another.
func recordOf(n int) core.Record {
	return core.Record{
		ID: idOf(n), Version: core.Version(n + 1), User: fmt.Sprintf("user-%07d", n),
		CreatedAt: core.Day, SeenAt: core.Day, ExpiresAt: 2*core.Day + core.Time(n), Sealed: bytes.Clone(sealedText),
	}
}

// recordBytes is what a record of recordOf says: ID, version, three times, user and Sealed.
const recordBytes = 16 + 8 + 24 + 12 + sealedBytes

// cost is what a million records cost this process.
type cost struct {
	heap float64 // live bytes, after a collection
	gc   float64 // CPU seconds of one collection, the median
}

// fillStore and fillMap keep a million records.
func fillStore(b *testing.B, maxBytes int64, record func(int) core.Record) *Store {
	st := open(b, maxBytes)
	for n := range million {
		require.NoError(b, st.Save(ctx, record(n), core.NoVersion))
	}
	return st
}

func fillMap(record func(int) core.Record) map[core.ID]*core.Record {
	m := map[core.ID]*core.Record{}
	for n := range million {
		r := record(n)
		m[r.ID] = &r
	}
	return m
}

// mixedRecord has 100 to 1700 sealed bytes, evenly spread.
func mixedRecord(n int) core.Record {
	r := recordOf(n)
	r.Sealed = make([]byte, 100+n*7919%1601)
	return r
}

// mixedBytes is the mean of what mixedRecord says.
const mixedBytes = recordBytes - sealedBytes + 900

func measure(fill func() any) (cost, any) {
	before := liveHeap()
	kept := fill()
	c := cost{heap: float64(liveHeap() - before)}
	var cycles []float64
	for range 11 {
		start := gcSeconds()
		runtime.GC()
		cycles = append(cycles, gcSeconds()-start)
	}
	slices.Sort(cycles)
	c.gc = cycles[len(cycles)/2]
	runtime.KeepAlive(kept)
	return c, kept
}

func liveHeap() int64 {
	runtime.GC()
	runtime.GC() // the second one has swept what the first one found
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func gcSeconds() float64 {
	s := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(s)
	return s[0].Value.Float64()
}

// BenchmarkRatioMemory compares a million sessions in the store with the bytes
// that they say, and with a map of pointers to the same records.
func BenchmarkRatioMemory(b *testing.B) {
	var ours, mixed, theirs cost
	var counted int64
	for b.Loop() {
		var kept any
		ours, kept = measure(func() any { return fillStore(b, 512<<20, recordOf) })
		counted = kept.(*Store).Stats().Bytes
		kept = nil
		theirs, _ = measure(func() any { return fillMap(recordOf) })
		mixed, _ = measure(func() any { return fillStore(b, 2<<30, mixedRecord) })
	}
	fmt.Printf("\nstore: %.0f B a record and %.2f ms a collection; map of pointers: %.0f B and %.2f ms\n",
		ours.heap/million, ours.gc*1e3, theirs.heap/million, theirs.gc*1e3)
	ratio.Print("memory-bytes-per-record", ours.heap/million/recordBytes, 1.40, false)
	ratio.Print("memory-bytes-per-mixed-record", mixed.heap/million/mixedBytes, 1.40, false)
	ratio.Print("memory-gc-cpu-of-pointer-map", ours.gc/theirs.gc, 0.05, false)
	ratio.Print("memory-held-but-not-counted", ours.heap/float64(counted)-1, 0.03, false)
}
