package natsstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
)

func init() {
	stores.Register(stores.Driver{Schemes: []string{"nats"}, Rest: "//USER:PASSWORD@HOST:PORT/BUCKET?replicas=3", Open: open, Drop: drop})
}

// place is what a name means: nats://127.0.0.1:4222/sessions?replicas=3.
type place struct {
	server, bucket string
	replicas       int
}

func parse(n stores.Name) (p place, err error) {
	refused := &hosts.ConfigError{Field: "store", Value: "a nats URL that cannot be used", Allowed: "nats://USER:PASSWORD@HOST:PORT/BUCKET?replicas=1, 3 or 5"}
	u, err := url.Parse(n.Scheme + ":" + n.Rest) // its error would show the password
	if err != nil || u.Host == "" {
		return p, refused
	}
	p.bucket = cmp.Or(strings.TrimPrefix(u.Path, "/"), "sessions")
	p.replicas, err = strconv.Atoi(cmp.Or(u.Query().Get("replicas"), "1"))
	if err != nil || strings.ContainsAny(p.bucket, "/.*> ") {
		return p, refused
	}
	if n.Scratch != "" {
		p.bucket += "_" + n.Scratch
	}
	u.Path, u.RawQuery = "", ""
	p.server = u.String()
	return p, nil
}

func open(ctx context.Context, n stores.Name) (stores.Store, error) {
	p, err := parse(n)
	if err != nil {
		return nil, err
	}
	conn, js, err := connect(p.server)
	if err != nil {
		return nil, err
	}
	s := &Store{conn: conn, js: js, prefix: "$KV." + p.bucket + "."}
	if s.stream, err = p.stream(ctx, js, n.Migration); err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

// stream is the bucket. Reads go to the leader (no AllowDirect), and a full one
// refuses (DiscardNew).
func (p place) stream(ctx context.Context, js jetstream.JetStream, m stores.Migration) (jetstream.Stream, error) {
	name := "KV_" + p.bucket
	found, err := js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if m == stores.Never {
			return nil, stores.Absent("the bucket %s is not there", p.bucket)
		}
		found, err = js.CreateStream(ctx, jetstream.StreamConfig{
			Name: name, Subjects: []string{"$KV." + p.bucket + ".>"}, Replicas: p.replicas, Storage: jetstream.FileStorage,
			MaxMsgsPerSubject: 1, AllowMsgTTL: true, AllowRollup: true, DenyDelete: true, Discard: jetstream.DiscardNew,
		})
	}
	if err != nil {
		return nil, fmt.Errorf("%w: nats: bucket %s: %v", hosts.ErrUnavailable, p.bucket, err)
	}
	if c := found.CachedInfo().Config; c.AllowDirect || !c.AllowMsgTTL || c.MaxMsgsPerSubject != 1 || c.Discard != jetstream.DiscardNew {
		return nil, fmt.Errorf("nats: the bucket %s was not made by this store: it may read copies that lag behind, or forget sessions; name another", p.bucket)
	}
	return found, nil
}

func drop(ctx context.Context, n stores.Name) error {
	p, err := parse(n)
	if err != nil {
		return err
	}
	conn, js, err := connect(p.server)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := js.DeleteStream(ctx, "KV_"+p.bucket); !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	return nil
}
