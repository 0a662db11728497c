package slots

import (
	"bytes"
	"io"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

func sum(b []byte) uint64 { return xxhash.Sum64(b) }

// fileBytes is a file whose slots hold two states, the newer one in the second.
func fileBytes(older, newer *core.Record) []byte {
	pages := max(pagesFor(older), pagesFor(newer))
	b := make([]byte, 2*pages*pageSize)
	copy(b, encode(older, 4, 3, pages))
	copy(b[pages*pageSize:], encode(newer, 5, 4, pages))
	return b
}

func readBytes(t testing.TB, b []byte, id core.ID, whole bool) *pair {
	t.Helper()
	p := new(pair)
	require.NoError(t, p.read(bytes.NewReader(b), int64(len(b)), id, whole))
	return p
}

func served(t testing.TB, b []byte, id core.ID) (core.Record, error) {
	p := readBytes(t, b, id, true)
	at, err := p.newest()
	if err != nil {
		return core.Record{}, err
	}
	r, _ := p.choose(at, nil)
	return r, nil
}

// states are two states of a session, small or of several pages.
func states(sealed int) (older, newer core.Record) {
	older, newer = sample(), sample()
	newer.Version++
	older.Sealed, newer.Sealed = bytes.Repeat([]byte("o"), sealed), bytes.Repeat([]byte("n"), sealed+5)
	return older, newer
}

// Whichever slot is damaged, and wherever, the other is served whole.
func TestDamageOfOneSlotLeavesTheOther(t *testing.T) {
	far := soak.Rounds(t, 15, 100)
	for _, sealed := range []int{0, 300, 30_000} {
		older, newer := states(sealed)
		good := fileBytes(&older, &newer)
		slot := len(good) / 2
		for i, want := range []core.Record{newer, older} { // when slot i is damaged
			size := imageSize([]*core.Record{&older, &newer}[i])
			for at := 0; at < size; at += 1 + max(at/100, (at-300)/far) {
				if at >= settledAt && at < settledAt+8 {
					continue
				}
				b := bytes.Clone(good)
				b[i*slot+at] ^= 0x40
				got, err := served(t, b, older.ID)
				require.NoError(t, err, "slot %d, byte %d", i, at)
				require.Equal(t, want, got)
				if at > 0 {
					clear(b[i*slot : i*slot+at]) // its first sectors were lost
					got, err = served(t, b, older.ID)
					require.NoError(t, err, "slot %d, first %d bytes", i, at)
					require.Equal(t, want, got)
				}
			}
		}
	}
}

// A file that was cut short serves what is whole in it.
func TestCutFiles(t *testing.T) {
	for _, sealed := range []int{0, 300, 30_000} {
		older, newer := states(sealed)
		good := fileBytes(&older, &newer)
		slot := len(good) / 2
		for size := 0; size < len(good); size += 1 + size/100 {
			got, err := served(t, good[:size], older.ID)
			switch {
			case size >= slot+imageSize(&newer):
				require.NoError(t, err)
				require.Equal(t, newer, got)
			case size >= imageSize(&older):
				require.NoError(t, err, "cut at %d", size)
				require.Equal(t, older, got)
			default:
				require.ErrorIs(t, err, core.ErrCorrupt, "cut at %d", size)
			}
		}
	}
}

// A write that was torn at any byte leaves the state before or, at its last byte,
// the one after.
func TestTornWrites(t *testing.T) {
	far := soak.Rounds(t, 15, 100)
	for _, sealed := range []int{300, 30_000} {
		older, newer := states(sealed)
		next := newer
		next.Version, next.Sealed = 99, bytes.Repeat([]byte("x"), sealed+2)
		good := fileBytes(&older, &newer)
		image := encode(&next, 6, 5, len(good)/2/pageSize)
		for n := 0; n <= len(image); n += 1 + max(n/100, (n-300)/far) {
			ahead, behind := bytes.Clone(good), bytes.Clone(good)
			copy(ahead, image[:n])                            // the first bytes have arrived
			copy(behind[len(image)-n:], image[len(image)-n:]) // the last bytes have
			for _, b := range [][]byte{ahead, behind} {
				got, err := served(t, b, older.ID)
				require.NoError(t, err)
				if !bytes.Equal(got.Sealed, next.Sealed) {
					require.Equal(t, newer, got, "%d bytes", n)
				}
			}
		}
		copy(good, image)
		got, err := served(t, good, older.ID)
		require.NoError(t, err)
		require.Equal(t, next, got)
	}
}

func TestDamageOfBothSlotsIsTold(t *testing.T) {
	older, newer := states(300)
	good := fileBytes(&older, &newer)
	slot := len(good) / 2
	for at := range imageSize(&older) {
		if at >= settledAt && at < settledAt+8 {
			continue
		}
		b := bytes.Clone(good)
		b[at] ^= 0x40
		b[slot+100] ^= 0x40
		_, err := served(t, b, older.ID)
		require.Error(t, err, at)
		if at != 6 && at != 7 { // of the format
			require.ErrorIs(t, err, core.ErrCorrupt)
		}
	}
	_, err := served(t, good, core.ID{1})
	require.ErrorIs(t, err, core.ErrCorrupt)
	require.ErrorContains(t, err, "is the file of session "+older.ID.String())
}

// between is a file that changes between two reads of it.
type between struct {
	b     []byte
	reads int
	write func(reads int, b []byte)
}

func (f *between) ReadAt(p []byte, at int64) (int, error) {
	n, err := bytes.NewReader(f.b).ReadAt(p, at)
	f.reads++
	f.write(f.reads, f.b)
	return n, err
}

// A reader that was slow sees an old first slot beside a second one that is being
// written again: what it read first was overtaken, and it must look again.
func TestReaderIsNotOvertaken(t *testing.T) {
	one, two := states(300)
	b := fileBytes(&one, &two) // state 2 was acknowledged before the read begins
	slot := len(b) / 2
	b[slot] = 0 // and 4 is being written over it, so 3 has long been acknowledged
	three := one
	three.Version, three.Sealed = 77, []byte("three")
	f := &between{b: b, write: func(reads int, b []byte) {
		if reads == 1 { // which saw 1 in the first slot
			copy(b, encode(&three, 6, 5, 1))
		}
	}}
	got, wanted, err := new(pair).look(f, int64(len(b)), one.ID, nil)
	require.NoError(t, err)
	require.True(t, wanted)
	require.Equal(t, three, got)
	require.Equal(t, 2, f.reads)
}

// A reader that meets one write after the other gives up, for the lock to decide.
func TestReaderGivesUp(t *testing.T) {
	one, two := states(300)
	b := fileBytes(&one, &two)
	b[0] = 0
	f := &between{b: b, write: func(reads int, b []byte) { // the other slot is bad each time
		b[0], b[len(b)/2] = b[len(b)/2], b[0]
	}}
	_, _, err := new(pair).look(f, int64(len(b)), one.ID, nil)
	require.ErrorIs(t, err, errUndecided)
	require.Equal(t, readTries, f.reads)
	clear(b)
	_, _, err = new(pair).look(bytes.NewReader(b), int64(len(b)), one.ID, nil)
	require.ErrorIs(t, err, errUndecided)
}

// counted counts the bytes that are read.
type counted struct {
	io.ReaderAt
	n int
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, at)
	c.n += n
	return n, err
}

// Who looks for others reads no Sealed; a state that only a torn write has is not
// taken for the session's.
func TestLookReadsHeadersOfTheUnwanted(t *testing.T) {
	older, newer := states(30_000)
	newer.User = "bob"
	b := fileBytes(&older, &newer)
	user := func(name string) func(*core.Record) bool {
		return func(r *core.Record) bool { return r.User == name }
	}
	c := &counted{ReaderAt: bytes.NewReader(b)}
	_, wanted, err := new(pair).look(c, int64(len(b)), older.ID, user("eve"))
	require.NoError(t, err)
	require.False(t, wanted)
	require.LessOrEqual(t, c.n, 3*pageSize)

	look := func(name string) (core.Record, bool) {
		r, wanted, err := new(pair).look(bytes.NewReader(b), int64(len(b)), older.ID, user(name))
		require.NoError(t, err)
		return r, wanted
	}
	_, wanted = look("ada") // the state before
	require.False(t, wanted)
	got, wanted := look("bob")
	require.True(t, wanted)
	require.Equal(t, newer, got)

	b[len(b)/2+30_000]++ // torn: its header is whole
	_, wanted = look("bob")
	require.False(t, wanted)
	got, wanted = look("ada")
	require.True(t, wanted)
	require.Equal(t, older, got)
}

// FuzzFile: no bytes make it panic, and what it serves is one of the two slots,
// whole. Each input is tried again with right checksums, as a forger would write
// it. The file is what two slots begin with, perhaps cut.
func FuzzFile(f *testing.F) {
	older, newer := states(20)
	first, second := encode(&older, 4, 3, 1), encode(&newer, 5, 4, 1)
	f.Add(first, second, 1, 2*pageSize)
	f.Add(first, first[:headerSize], 1, 5000)
	f.Add([]byte(magic), encode(&newer, 5, 4, 2), 2, 4*pageSize)
	f.Fuzz(func(t *testing.T, first, second []byte, pages, size int) {
		slot := min(max(pages, 1), 3) * pageSize
		for range 2 {
			b := make([]byte, 2*slot)
			copy(b[:slot], first)
			copy(b[slot:], second)
			requireWhole(t, b[:min(max(size, 0), len(b))])
			first, second = bytes.Clone(first), bytes.Clone(second)
			seal(first)
			seal(second)
		}
	})
}

func requireWhole(t *testing.T, b []byte) {
	id := sample().ID
	p := readBytes(t, b, id, true)
	headers := readBytes(t, b, id, false)
	at, err := p.newest()
	if err != nil {
		return
	}
	require.NoError(t, headers.slots[at].err, "a good slot has a good header")
	r, _ := p.choose(at, nil)
	require.NoError(t, r.Check())
	require.Equal(t, id, r.ID)
	s := &p.slots[at]
	from := at * p.pages * pageSize
	require.Equal(t, b[from:from+s.end], encode(&r, s.sequence, s.settled, s.pages))
}
