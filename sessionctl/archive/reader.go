package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/rockstar-web/sessions/core"
)

// Reader reads an archive. It is for one goroutine.
type Reader struct {
	src   *source
	zip   *zstd.Decoder
	began core.Time
	sum   xxhash.Digest // of all that came out of zip
	last  core.ID
	count uint64
	err   error // that ended it
}

// source remembers its own failures, which are no damage of the archive.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// NewReader reads the header. Close the Reader at the end.
func NewReader(src io.Reader) (*Reader, error) {
	r := &Reader{src: &source{Reader: src}}
	var head [headerSize]byte
	n, err := io.ReadFull(r.src, head[:])
	switch {
	case r.src.err != nil:
		return nil, r.src.err
	case n < len(magic) || string(head[:len(magic)]) != magic:
		return nil, ErrForeign
	case err != nil:
		return nil, ErrTruncated
	}
	if r.began, err = readHeader(head[:]); err != nil {
		return nil, err
	}
	r.zip, err = zstd.NewReader(r.src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	r.sum.Reset()
	return r, nil
}

// Close frees what the decompression holds.
func (r *Reader) Close() { r.zip.Close() }

// Began returns when the export began.
func (r *Reader) Began() core.Time { return r.began }

// Count returns how many records were read.
func (r *Reader) Count() uint64 { return r.count }

// Next returns the next record, whose memory is the caller's; after the last
// one, io.EOF once the end has been found to be whole. Every other error is for
// good: of the package, or of the source.
func (r *Reader) Next() (core.Record, error) {
	if r.err != nil {
		return core.Record{}, r.err
	}
	record, err := r.next()
	if err != nil && err != io.EOF {
		err = fmt.Errorf("behind %d records: %w", r.count, err)
	}
	r.err = err
	return record, err
}

func (r *Reader) next() (core.Record, error) {
	var entry [entrySize]byte
	if err := r.fill(entry[:]); err != nil {
		return core.Record{}, err
	}
	n, sum := binary.BigEndian.Uint32(entry[:]), binary.BigEndian.Uint64(entry[4:])
	if n == 0 {
		return core.Record{}, r.end(sum)
	}
	if n < fixedSize || n > maxBody {
		return core.Record{}, ErrDamaged
	}
	body := make([]byte, 1+n)
	if err := r.fill(body[1:]); err != nil {
		return core.Record{}, err
	}
	if xxhash.Sum64(body[1:]) != sum {
		return core.Record{}, ErrDamaged
	}
	record, err := readBody(body)
	if err != nil {
		return core.Record{}, err
	}
	if bytes.Compare(record.ID[:], r.last[:]) <= 0 {
		return core.Record{}, fmt.Errorf("session %v is out of order: %w", record.ID, ErrDamaged)
	}
	r.last = record.ID
	r.count++
	return record, nil
}

// end holds what was read against the trailer.
func (r *Reader) end(count uint64) error {
	want := r.sum.Sum64()
	var tail [8]byte
	if err := r.fill(tail[:]); err != nil {
		return err
	}
	if count != r.count || binary.BigEndian.Uint64(tail[:]) != want {
		return fmt.Errorf("it names %d records: %w", count, ErrDamaged)
	}
	switch _, err := io.ReadFull(r.zip, tail[:1]); err {
	case nil:
		return fmt.Errorf("more stands behind its end: %w", ErrDamaged)
	case io.EOF:
		return io.EOF
	default:
		return r.failure(err)
	}
}

// fill reads all of b.
func (r *Reader) fill(b []byte) error {
	if _, err := io.ReadFull(r.zip, b); err != nil {
		return r.failure(err)
	}
	r.sum.Write(b)
	return nil
}

// failure tells a source that cannot be read, an archive that ends too early
// and one that is damaged apart.
func (r *Reader) failure(err error) error {
	switch {
	case r.src.err != nil:
		return r.src.err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrTruncated
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}
