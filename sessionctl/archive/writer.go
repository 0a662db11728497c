package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/rockstar-web/sessions/core"
)

// window is how far back the compression looks, in bytes: the clear fields
// repeat, and sealed bytes do not shrink.
const window = 1 << 20

// Writer writes an archive. It is for one goroutine.
type Writer struct {
	zip   *zstd.Encoder
	sum   xxhash.Digest // of all that went into zip
	entry []byte
	last  core.ID
	count uint64
}

// NewWriter begins an archive with the moment at which the export began. Until
// Close returns nil the archive is not whole, and its readers say so.
func NewWriter(dst io.Writer, began core.Time) (*Writer, error) {
	if _, err := dst.Write(appendHeader(nil, began)); err != nil {
		return nil, err
	}
	zip, err := zstd.NewWriter(dst, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window))
	if err != nil {
		return nil, err
	}
	w := &Writer{zip: zip}
	w.sum.Reset()
	return w, nil
}

// Add writes one record, whose ID must be behind those before it, as Find
// returns them. It keeps nothing of it.
func (w *Writer) Add(r *core.Record) error {
	if bytes.Compare(r.ID[:], w.last[:]) <= 0 {
		return fmt.Errorf("session %v: the store lists it behind %v, out of the order of their bytes", r.ID, w.last)
	}
	var err error
	if w.entry, err = appendEntry(w.entry[:0], r); err != nil {
		return fmt.Errorf("session %v: %w", r.ID, err)
	}
	if err := w.write(w.entry); err != nil {
		return err
	}
	w.last = r.ID
	w.count++
	return nil
}

// Count returns how many records were added.
func (w *Writer) Count() uint64 { return w.count }

// Close writes the end. It closes nothing else.
func (w *Writer) Close() error {
	trailer := binary.BigEndian.AppendUint64(make([]byte, 4, trailerSize), w.count)
	w.sum.Write(trailer)
	if _, err := w.zip.Write(binary.BigEndian.AppendUint64(trailer, w.sum.Sum64())); err != nil {
		return err
	}
	return w.zip.Close()
}

func (w *Writer) write(b []byte) error {
	w.sum.Write(b)
	_, err := w.zip.Write(b)
	return err
}
