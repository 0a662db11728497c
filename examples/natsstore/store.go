// Package natsstore keeps sessions in NATS JetStream, in a bucket of its key-value
// store. It is the example of docs/write-a-store.md. It needs a NATS server of 2.11
// or later whose max_payload is 2 MB.
package natsstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

const (
	retention = time.Hour      // for which an expired record stays, so that its visitor is told why
	graveTime = 24 * time.Hour // for which the end of a session is kept: longer than any request lives
	tries     = 10             // of a save that others come in between
	pause     = time.Millisecond
)

// Store implements hosts.Store and hosts.Finder. It is safe for concurrent use.
type Store struct {
	conn   *connection
	js     jetstream.JetStream
	stream jetstream.Stream
	prefix string // of subjects
}

var (
	_ hosts.Store  = (*Store)(nil)
	_ hosts.Finder = (*Store)(nil)
)

// Load returns a record.
func (s *Store) Load(ctx context.Context, id core.ID) (core.Record, error) {
	value, _, err := s.last(ctx, id)
	if err != nil {
		return core.Record{}, err
	}
	return read(id, value)
}

// Save stores a record in place of the version prev.
func (s *Store) Save(ctx context.Context, r core.Record, prev core.Version) error {
	value, err := core.AppendRecord(nil, &r)
	if err != nil {
		return err
	}
	stays := max(time.Until(time.UnixMilli(int64(r.ExpiresAt))), 0) + retention
	for i := range tries {
		old, seq, err := s.last(ctx, r.ID)
		if err != nil {
			return err
		}
		stored, err := read(r.ID, old) // its version is NoVersion where there is none
		switch {
		case err != nil && !errors.Is(err, core.ErrNotFound):
			return err
		case stored.Version == r.Version:
			return nil // by an earlier try
		case stored.Version != prev:
			return core.ErrConflict
		}
		err = s.put(ctx, r.ID, value, stays, jetstream.WithExpectLastSequencePerSubject(seq))
		if !isOvertaken(err) {
			return err
		}
		select { // a cluster says so before the other save can be read
		case <-time.After(pause << i):
		case <-ctx.Done():
			return s.failed(ctx, err)
		}
	}
	return hosts.ErrBusy
}

// Delete puts a tombstone in place of the record: a purge would let a server that
// has not heard of it accept a save from before.
func (s *Store) Delete(ctx context.Context, id core.ID) error {
	value, _, err := s.last(ctx, id)
	if err != nil || len(value) == 0 {
		return err
	}
	return s.put(ctx, id, nil, graveTime)
}

// last returns what is stored under an ID, and its sequence: no value where there is
// a tombstone, and no sequence either where there is nothing.
func (s *Store) last(ctx context.Context, id core.ID) (value []byte, seq uint64, err error) {
	if ctx.Err() != nil {
		return nil, 0, ctx.Err()
	}
	asking, done := s.conn.bound(ctx)
	defer done()
	m, err := s.stream.GetLastMsgForSubject(asking, s.prefix+id.String())
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, s.failed(ctx, err)
	}
	return m.Data, m.Sequence, nil
}

func read(id core.ID, value []byte) (core.Record, error) {
	if len(value) == 0 {
		return core.Record{}, core.ErrNotFound
	}
	r, err := core.ReadRecord(value)
	if err == nil && r.ID != id {
		err = core.ErrCorrupt
	}
	return r, err
}

func (s *Store) put(ctx context.Context, id core.ID, value []byte, stays time.Duration, o ...jetstream.PublishOpt) error {
	m := nats.NewMsg(s.prefix + id.String())
	m.Data = value
	asking, done := s.conn.bound(ctx)
	defer done()
	_, err := s.js.PublishMsg(asking, m, append(o, jetstream.WithMsgTTL(stays.Round(time.Second)))...)
	if err == nil || isOvertaken(err) {
		return err
	}
	return s.failed(ctx, err)
}

// isOvertaken: another has written meanwhile. A cluster has a code of its own for it.
func isOvertaken(err error) bool {
	e, ok := errors.AsType[*jetstream.APIError](err)
	return ok && (e.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || e.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

const codeFull = 10077 // maximum bytes exceeded

// failed says what an error means. That of a lost connection looks like that of the
// caller's context, and must not be taken for it.
func (s *Store) failed(ctx context.Context, err error) error {
	api, _ := errors.AsType[*jetstream.APIError](err)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("nats: %w", ctx.Err())
	case s.conn.IsClosed():
		return hosts.ErrClosed
	case errors.Is(err, nats.ErrMaxPayload):
		return fmt.Errorf("%w: more than the server's max_payload", core.ErrTooLarge)
	case api != nil && api.ErrorCode == codeFull:
		return hosts.ErrFull
	}
	return fmt.Errorf("%w: nats: %v", hosts.ErrUnavailable, err)
}

// Close ends the connection.
func (s *Store) Close() error {
	s.conn.Close()
	return nil
}
