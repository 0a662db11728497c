package nethttp

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// ErrSessionEnded is the cause (context.Cause) of a request that was cancelled because
// its session has ended: see Options.CloseEnded.
var ErrSessionEnded = errors.New("the session of this request has ended")

// Ended returns a channel that is closed when the session ends anywhere, by a logout or
// by its expiry, or when a login or a change of privilege replaces its secret: for
// Server-Sent Events, WebSockets and long work. It takes at most feed.Lease and one
// question of the store's feed; longer while the store does not answer. Options.CloseEnded
// does what is mostly wanted with it.
//
// A session that is not stored has nothing to end: the channel is nil, which blocks for
// ever. hosts.ErrNoFeed means that the store cannot report it. The channel is of no use
// after the handler has returned.
func (v *Session) Ended() (<-chan struct{}, error) {
	v.request.mu.Lock()
	defer v.request.mu.Unlock()
	if v.request.over.Load() {
		return nil, ErrCommitted
	}
	w, err := v.watch()
	if w == nil {
		return nil, err
	}
	return w.Ended(), nil
}

// watch watches the session, if it is stored. The caller has the request's lock.
func (v *Session) watch() (*hosts.Watch, error) {
	s := v.current()
	if s == nil || s.State() != core.StateActive {
		return nil, v.err
	}
	if v.watched != nil && v.watched.Of(s) {
		return v.watched, nil
	}
	v.unwatch()
	w, err := v.request.middleware.manager.Watch(s)
	if err != nil {
		return nil, err
	}
	v.watched = w
	return w, nil
}

func (v *Session) unwatch() {
	if v.watched != nil {
		v.watched.Stop()
		v.watched = nil
	}
}

// streams has a request that streams its answer end with its session. It is called
// before a flush.
func (rq *request) streams() {
	v := rq.opened.Load()
	if !rq.middleware.o.CloseEnded || v == nil || rq.cancel == nil {
		return
	}
	rq.mu.Lock()
	defer rq.mu.Unlock()
	if v.streaming || rq.over.Load() {
		return
	}
	v.streaming = true
	w, err := v.watch()
	if err != nil {
		rq.middleware.manager.Failed(err)
	}
	if w == nil {
		return
	}
	w.OnEnd(func() {
		rq.cancel(ErrSessionEnded)
		_ = http.NewResponseController(rq.ResponseWriter).SetWriteDeadline(longAgo) // also of a handler that does not look
	})
}

// endedConn is a connection that was taken from the server, and is closed when its
// session ends.
type endedConn struct {
	net.Conn
	watch *hosts.Watch
	once  sync.Once
}

func (c *endedConn) Close() error {
	c.once.Do(c.watch.Stop)
	return c.Conn.Close()
}

// NetConn returns the connection itself, as tls.Conn does.
func (c *endedConn) NetConn() net.Conn { return c.Conn }

// closes wraps a connection that is taken from the server. The watch is the
// connection's from then on. The caller has the request's lock.
func (v *Session) closes(conn net.Conn) (net.Conn, error) {
	if !v.request.middleware.o.CloseEnded {
		return conn, nil
	}
	w, err := v.watch()
	if w == nil || err != nil {
		return conn, err
	}
	v.watched = nil
	c := &endedConn{Conn: conn, watch: w}
	w.OnEnd(func() {
		_ = conn.SetDeadline(time.Now()) // wakes writers that wait for a slow peer
		_ = conn.Close()
	})
	return c, nil
}
