package core_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
)

var byteRecords = []core.Record{
	{ID: core.ID{1}, Version: 1},
	{ID: core.ID{1, 15: 2}, Version: 1<<63 - 1, Tenant: "acme", User: "alice", CreatedAt: 1, SeenAt: 2, ExpiresAt: 3, Sealed: []byte("sealed")},
	{ID: core.ID{2}, Version: 2, CreatedAt: math.MinInt64, SeenAt: math.MaxInt64, ExpiresAt: -1, Sealed: []byte{0}},
	{ID: core.ID{3}, Version: 3, Tenant: strings.Repeat("t", core.MaxName), User: strings.Repeat("ü", core.MaxName/2), Sealed: bytes.Repeat([]byte{7}, 300)},
	{ID: core.ID{4}, Version: 4, Tenant: strings.Repeat("t", core.MaxName), User: strings.Repeat("u", core.MaxName), Sealed: make([]byte, core.MaxSealed)},
}

func requireRecord(t *testing.T, want, got core.Record) {
	t.Helper()
	require.True(t, bytes.Equal(want.Sealed, got.Sealed))
	want.Sealed, got.Sealed = nil, nil
	require.Equal(t, want, got)
}

func TestRecordsAsBytesComeBack(t *testing.T) {
	for i := range byteRecords {
		b, err := core.AppendRecord([]byte("before"), &byteRecords[i])
		require.NoError(t, err)
		require.LessOrEqual(t, len(b)-6, core.MaxRecordBytes)
		got, err := core.ReadRecord(b[6:])
		require.NoError(t, err)
		requireRecord(t, byteRecords[i], got)
		require.Equal(t, len(got.Sealed), cap(got.Sealed), "an append reaches nothing of the store's")
	}
	last, err := core.AppendRecord(nil, &byteRecords[4])
	require.NoError(t, err)
	require.Len(t, last, core.MaxRecordBytes)
}

// The bytes are for good: they are in stores.
func TestRecordAsBytesIsWritten(t *testing.T) {
	b, err := core.AppendRecord(nil, &byteRecords[1])
	require.NoError(t, err)
	require.Equal(t, "01"+"01000000000000000000000000000002"+"7fffffffffffffff"+"0000000000000001"+"0000000000000002"+"0000000000000003"+
		"0405"+hex.EncodeToString([]byte("acmealicesealed")), hex.EncodeToString(b))
}

func TestBytesThatAreNoRecord(t *testing.T) {
	good, err := core.AppendRecord(nil, &byteRecords[1])
	require.NoError(t, err)
	with := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	for name, b := range map[string][]byte{
		"none": nil, "text": []byte(`{"id":1}`), "format 0": with(0, 0), "short": good[:50], "names cut": good[:55],
		"no ID": append(append([]byte{1}, make([]byte, 16)...), good[17:]...), "a version of 64 bits": with(17, 0x80),
		"a tenant that is no UTF-8": with(51, 0xff), "too long": append(bytes.Clone(good), make([]byte, core.MaxRecordBytes)...),
		"a control": with(51, '\n'), "tenant too long": with(49, 255),
	} {
		_, err := core.ReadRecord(b)
		require.ErrorIs(t, err, core.ErrCorrupt, name)
	}
	_, err = core.ReadRecord(with(0, 2))
	require.ErrorIs(t, err, core.ErrNewerRecord)
	require.NotErrorIs(t, err, core.ErrCorrupt)
	_, err = core.AppendRecord(nil, &core.Record{ID: core.ID{1}, Version: 1, User: "a\x00b"})
	require.ErrorIs(t, err, core.ErrBadName)
}

// Whatever is read is what would be written.
func FuzzReadRecord(f *testing.F) {
	for i := range byteRecords[:4] {
		b, err := core.AppendRecord(nil, &byteRecords[i])
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := core.ReadRecord(b)
		if err != nil {
			return
		}
		again, err := core.AppendRecord(nil, &r)
		require.NoError(t, err)
		require.Equal(t, b, again)
	})
}
