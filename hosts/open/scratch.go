package open

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// dropPage is how many sessions of a scratch namespace are read at once.
const dropPage = 1000

// Namespace is a place for sessions beside the real ones of a store. It is safe
// for concurrent use.
type Namespace struct {
	backend backend
	place   func() place // not to be printed: it may have a password

	mu     sync.Mutex
	handle store // that Open returns next, or again where there is one at a time
	users  int   // of the one
}

// Scratch makes a fresh, empty namespace beside the sessions of the store that
// url names, to hold that store to its contract while it is in use: a table, a
// prefix of keys, a directory or a file that has Name in its name. It returns
// the errors of Store. Drop it in the end.
func Scratch(ctx context.Context, url string) (*Namespace, error) {
	b, at, err := find(url)
	if err != nil {
		return nil, err
	}
	var name [8]byte
	rand.Read(name[:]) // never fails
	at.scratch = "check_" + hex.EncodeToString(name[:])
	n := &Namespace{backend: b, place: func() place { return at }}
	if n.handle, err = b.at(ctx, at); err != nil {
		_ = n.drop(ctx) // whatever was made before it failed
		return nil, err
	}
	return n, nil
}

// Name is what the namespace was given: "check_" and 16 hexadecimal digits.
func (n *Namespace) Name() string { return n.place().scratch }

// Open returns a handle on the namespace, of its own as another process would
// have it; memory and a log have but one, which all share. The Closer frees
// it. ctx bounds the opening alone.
func (n *Namespace) Open(ctx context.Context) (hosts.Store, io.Closer, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.handle
	if s == nil {
		var err error
		if s, err = n.backend.at(ctx, n.place()); err != nil {
			return nil, nil, err
		}
	}
	if !n.backend.single {
		n.handle = nil
		return s, s, nil
	}
	n.handle = s
	n.users++
	return s, &user{n: n}, nil
}

// user is one of those who share a handle.
type user struct {
	n    *Namespace
	once sync.Once
}

func (u *user) Close() (err error) {
	u.once.Do(func() { err = u.n.leave() })
	return err
}

func (n *Namespace) leave() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.users--
	if n.users > 0 || n.backend.volatile {
		return nil
	}
	s := n.handle
	n.handle = nil
	return s.Close()
}

// Drop removes the namespace and all that is in it. What Open returned is to
// be closed before.
func (n *Namespace) Drop(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var closed error
	if n.handle != nil {
		closed = n.handle.Close()
		n.handle = nil
	}
	return errors.Join(closed, n.drop(ctx))
}

func (n *Namespace) drop(ctx context.Context) error {
	if err := n.backend.drop(ctx, n.place()); err != nil {
		return fmt.Errorf("drop %s of store %s: %w", n.Name(), n.place().scheme, err)
	}
	return nil
}

// dropTable drops the tables of a database.
func dropTable(open func(context.Context, place) (store, error)) func(context.Context, place) error {
	return func(ctx context.Context, p place) error {
		s, err := open(ctx, p)
		if err != nil {
			return err
		}
		return errors.Join(s.(interface{ Drop(context.Context) error }).Drop(ctx), s.Close())
	}
}

// deleteAll deletes session by session, for stores whose namespace is no more
// than a prefix.
func deleteAll(open func(context.Context, place) (store, error)) func(context.Context, place) error {
	return func(ctx context.Context, p place) error {
		s, err := open(ctx, p)
		if err != nil {
			return err
		}
		return errors.Join(emptied(ctx, s), s.Close())
	}
}

func emptied(ctx context.Context, s store) error {
	var after core.ID
	for {
		page, err := s.(hosts.Finder).Find(ctx, hosts.Query{AnyTenant: true, AnyUser: true}, after, dropPage)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := s.Delete(ctx, r.ID); err != nil {
				return err
			}
			after = r.ID
		}
		if len(page) < dropPage {
			return nil
		}
	}
}
