package archive_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/sessionctl/archive"
)

const began core.Time = 1_790_000_000_000

// samples are records at the edges of what a record may be.
func samples() []core.Record {
	return []core.Record{
		{ID: core.ID{1}, Version: 1},
		{ID: core.ID{1, 15: 1}, Version: 1<<63 - 1, Tenant: "acme", User: "alice", CreatedAt: 1, SeenAt: 2, ExpiresAt: 3, Sealed: []byte("sealed")},
		{ID: core.ID{2}, Version: 2, CreatedAt: math.MinInt64, SeenAt: math.MaxInt64, ExpiresAt: -1, Sealed: []byte{0}},
		{ID: core.ID{3}, Version: 3, Tenant: strings.Repeat("t", core.MaxName), User: strings.Repeat("ü", core.MaxName/2), Sealed: bytes.Repeat([]byte{7}, 300)},
		{ID: core.ID{0xff}, Version: 4, Sealed: bytes.Repeat([]byte{0xff}, core.MaxSealed)},
	}
}

func write(t testing.TB, records []core.Record) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := archive.NewWriter(&file, began)
	require.NoError(t, err)
	for i := range records {
		require.NoError(t, w.Add(&records[i]))
	}
	require.EqualValues(t, len(records), w.Count())
	require.NoError(t, w.Close())
	return file.Bytes()
}

func read(src io.Reader) (records []core.Record, err error) {
	r, err := archive.NewReader(src)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		record, err := r.Next()
		if err == io.EOF {
			return records, nil
		}
		if err != nil {
			_, again := r.Next()
			if again != err {
				return nil, errors.New("an error is not for good")
			}
			return records, err
		}
		records = append(records, record)
	}
}

func requireSame(t *testing.T, want, got []core.Record) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.True(t, bytes.Equal(want[i].Sealed, got[i].Sealed), i)
		w, g := want[i], got[i]
		w.Sealed, g.Sealed = nil, nil
		require.Equal(t, w, g)
	}
}

func TestRecordsComeBack(t *testing.T) {
	for _, want := range [][]core.Record{nil, samples()[:1], samples()} {
		file := write(t, want)
		got, err := read(bytes.NewReader(file))
		require.NoError(t, err)
		requireSame(t, want, got)
		got, err = read(iotest.OneByteReader(bytes.NewReader(file)))
		require.NoError(t, err)
		requireSame(t, want, got)
	}
	r, err := archive.NewReader(bytes.NewReader(write(t, nil)))
	require.NoError(t, err)
	defer r.Close()
	require.Equal(t, began, r.Began())
}

// Whatever is cut off is missed, and what stood before it is whole.
func TestTruncatedAnywhere(t *testing.T) {
	all := samples()[:4]
	file := write(t, all)
	for n := range file {
		got, err := read(bytes.NewReader(file[:n]))
		want := archive.ErrTruncated
		if n < 6 {
			want = archive.ErrForeign
		}
		require.ErrorIs(t, err, want, n)
		requireSame(t, all[:len(got)], got)
	}
}

// A changed bit is noticed, or it changes nothing that is read.
func TestChangedAnywhere(t *testing.T) {
	all := samples()[:4]
	file := write(t, all)
	unnoticed := 0
	for n := range file {
		for bit := range 8 {
			bad := bytes.Clone(file)
			bad[n] ^= 1 << bit
			got, err := read(bytes.NewReader(bad))
			requireSame(t, all[:len(got)], got)
			if err == nil {
				require.Len(t, got, len(all))
				unnoticed++
			}
		}
	}
	require.Less(t, unnoticed, len(file)/4, "of 8 times as many: other ways to write the same")
}

func TestForeignAndNewer(t *testing.T) {
	file := write(t, samples()[:1])
	newer := bytes.Clone(file)
	newer[7] = 2
	older := bytes.Clone(file)
	older[7] = 0
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"empty":        {nil, archive.ErrForeign},
		"text":         {[]byte(strings.Repeat("id,user\n", 10)), archive.ErrForeign},
		"zstd alone":   {file[24:], archive.ErrForeign},
		"session file": {[]byte("rwsess\x00\x01................................"), archive.ErrForeign},
		"newer":        {newer, archive.ErrFormat},
		"never":        {older, archive.ErrDamaged},
		"begin alone":  {file[:24], archive.ErrTruncated},
		"twice":        {append(bytes.Clone(file), file[24:]...), archive.ErrDamaged},
		"more behind":  {append(bytes.Clone(file), "more"...), archive.ErrDamaged},
		"no zstd":      {append(bytes.Clone(file[:24]), strings.Repeat("x", 100)...), archive.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(bytes.NewReader(c.file))
			if name == "more behind" {
				require.Error(t, err) // the start of a frame that does not go on
				return
			}
			require.ErrorIs(t, err, c.want)
		})
	}
}

// forge makes an archive whose compressed part is anything.
func forge(t testing.TB, header, plain []byte) []byte {
	t.Helper()
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	require.NoError(t, err)
	defer zip.Close()
	return zip.EncodeAll(plain, bytes.Clone(header))
}

func entry(body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	return append(binary.BigEndian.AppendUint64(b, xxhash.Sum64(body)), body...)
}

func trailer(plain []byte, count uint64) []byte {
	plain = binary.BigEndian.AppendUint64(append(plain, 0, 0, 0, 0), count)
	return binary.BigEndian.AppendUint64(plain, xxhash.Sum64(plain))
}

// The checksums are no signatures: archives that somebody made by hand.
func TestForged(t *testing.T) {
	header := write(t, nil)[:24]
	body := make([]byte, 50)
	body[0], body[23] = 1, 1 // ID and version
	with := func(at int, to byte) []byte {
		b := bytes.Clone(body)
		b[at] = to
		return b
	}
	got, err := read(bytes.NewReader(forge(t, header, trailer(entry(body), 1))))
	require.NoError(t, err)
	require.Equal(t, core.ID{1}, got[0].ID)
	for name, plain := range map[string][]byte{
		"other count":      trailer(entry(body), 2),
		"twice":            trailer(append(entry(body), entry(body)...), 2),
		"no version":       trailer(entry(with(23, 0)), 1),
		"version too high": trailer(entry(with(16, 0x80)), 1),
		"no ID":            trailer(entry(with(0, 0)), 1),
		"tenant too long":  trailer(entry(with(48, 1)), 1),
		"user too long":    trailer(entry(with(49, 255)), 1),
		"bad user":         trailer(entry(append(with(49, 1), 0x80)), 1),
		"short":            trailer(entry(body[:49]), 1),
		"huge":             binary.BigEndian.AppendUint64([]byte{0xff, 0xff, 0xff, 0xff}, 0),
		"wrong sum":        append(trailer(entry(body), 1)[:len(entry(body))+12], 1, 2, 3, 4, 5, 6, 7, 8),
	} {
		_, err := read(bytes.NewReader(forge(t, header, plain)))
		require.ErrorIs(t, err, archive.ErrDamaged, name)
	}
}

// A small file that unpacks to a lot costs no memory, nor a window that is
// larger than any export's.
func TestBomb(t *testing.T) {
	header := write(t, nil)[:24]
	var file bytes.Buffer
	file.Write(header)
	zip, err := zstd.NewWriter(&file, zstd.WithWindowSize(64<<20), zstd.WithEncoderConcurrency(1))
	require.NoError(t, err)
	for range 100 {
		_, err := zip.Write(make([]byte, 1<<20))
		require.NoError(t, err)
	}
	require.NoError(t, zip.Close())
	require.Less(t, file.Len(), 1<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = read(&file)
	require.ErrorIs(t, err, archive.ErrDamaged)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20))
}

var errDisk = errors.New("disk is on fire")

type failingDisk struct{ left int }

func (d *failingDisk) Write(p []byte) (int, error) {
	if d.left -= len(p); d.left < 0 {
		return 0, errDisk
	}
	return len(p), nil
}

func TestFailuresOfTheDiskAreToldAsTheyAre(t *testing.T) {
	file := write(t, samples()[:4])
	for n := range file {
		_, err := read(io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(errDisk)))
		require.ErrorIs(t, err, errDisk, n)
		d := &failingDisk{left: n}
		w, err := archive.NewWriter(d, began)
		for i, all := 0, samples()[:4]; err == nil && i < len(all); i++ {
			err = w.Add(&all[i])
		}
		if err == nil {
			err = w.Close()
		}
		require.ErrorIs(t, err, errDisk, n)
	}
}

func TestAddRefuses(t *testing.T) {
	w, err := archive.NewWriter(io.Discard, began)
	require.NoError(t, err)
	require.NoError(t, w.Add(&core.Record{ID: core.ID{5}, Version: 1}))
	for _, r := range []core.Record{{ID: core.ID{5}, Version: 2}, {ID: core.ID{4}, Version: 1}} {
		require.ErrorContains(t, w.Add(&r), "out of the order")
	}
	require.ErrorIs(t, w.Add(&core.Record{ID: core.ID{6}}), core.ErrBadRecord)
	require.ErrorIs(t, w.Add(&core.Record{ID: core.ID{6}, Version: 1, Sealed: make([]byte, core.MaxSealed+1)}), core.ErrTooLarge)
	require.EqualValues(t, 1, w.Count())
}

// The file was written by the first release; every later one must read it.
func TestFormat1(t *testing.T) {
	path := filepath.Join("testdata", "format-1.rwsexp")
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	got, err := read(bytes.NewReader(file))
	require.NoError(t, err)
	requireSame(t, samples()[:4], got)
}

func FuzzRead(f *testing.F) {
	f.Add(write(f, samples()[:3]), true)
	f.Add(trailer(nil, 0), false)
	header := write(f, nil)[:24]
	f.Fuzz(func(t *testing.T, data []byte, whole bool) {
		if !whole {
			data = forge(t, header, data)
		}
		got, err := read(bytes.NewReader(data))
		for i := range got {
			require.NoError(t, got[i].Check())
		}
		if err != nil {
			return
		}
		again, err := read(bytes.NewReader(write(t, got)))
		require.NoError(t, err)
		requireSame(t, got, again)
	})
}
