package natsstore

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Find looks at every session: right, and fit for some thousands. It asks the leader
// for the names, since a consumer may run where the last save has not arrived.
func (s *Store) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	asking, done := s.conn.bound(ctx)
	defer done()
	info, err := s.stream.Info(asking, jetstream.WithSubjectFilter(s.prefix+">"))
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	var ids []core.ID
	for subject := range info.State.Subjects {
		id, err := core.ParseID(strings.TrimPrefix(subject, s.prefix))
		if err == nil && bytes.Compare(id[:], after[:]) > 0 {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b core.ID) int { return bytes.Compare(a[:], b[:]) })
	var found []core.Record
	for _, id := range ids {
		if len(found) == limit {
			break
		}
		r, err := s.Load(ctx, id)
		switch {
		case errors.Is(err, core.ErrNotFound):
		case err != nil:
			return nil, err
		case q.Matches(&r):
			found = append(found, r)
		}
	}
	return found, nil
}
