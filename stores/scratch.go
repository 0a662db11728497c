package stores

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/rockstar-web/sessions/hosts"
)

// Namespace is a place for sessions beside the real ones of a store. It is safe
// for concurrent use.
type Namespace struct {
	driver Driver
	name   func() Name // not to be printed: it may have a password

	mu     sync.Mutex
	handle Store // that Open returns next, or again where there is one at a time
	users  int   // of the one
}

// Scratch makes a fresh, empty namespace beside the sessions of the store that
// name means, to hold that store to its contract while it is in use: a table, a
// prefix of keys, a directory or a file that has Name in its name. It returns
// the errors of Open. Drop it in the end.
func Scratch(ctx context.Context, name string) (*Namespace, error) {
	d, at, err := find(name)
	if err != nil {
		return nil, err
	}
	var random [8]byte
	rand.Read(random[:]) // never fails
	at.Scratch = "check_" + hex.EncodeToString(random[:])
	n := &Namespace{driver: d, name: func() Name { return at }}
	if n.handle, err = d.at(ctx, at); err != nil {
		_ = n.drop(ctx) // whatever was made before it failed
		return nil, err
	}
	return n, nil
}

// Name is what the namespace was given: "check_" and 16 hexadecimal digits.
func (n *Namespace) Name() string { return n.name().Scratch }

// Open returns a handle on the namespace, of its own as another process would
// have it; memory and a log have but one, which all share. The Closer frees
// it. ctx bounds the opening alone.
func (n *Namespace) Open(ctx context.Context) (hosts.Store, io.Closer, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.handle
	if s == nil {
		var err error
		if s, err = n.driver.at(ctx, n.name()); err != nil {
			return nil, nil, err
		}
	}
	if !n.driver.Single {
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
	if n.users > 0 || n.driver.Volatile {
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
	if err := n.driver.Drop(ctx, n.name()); err != nil {
		return fmt.Errorf("drop %s of store %s: %w", n.Name(), n.name().Scheme, err)
	}
	return nil
}
