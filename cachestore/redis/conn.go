package redis

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// conn is a connection that knows which turn it serves.
type conn struct {
	net.Conn
	turns *registry

	mu   sync.Mutex
	turn *turn
}

// past is a deadline that ends reads and writes at once.
var past = time.Unix(1, 0)

// dial is what the client opens its connections with.
func (r *registry) dial(ctx context.Context, address string, d *net.Dialer, config *tls.Config) (net.Conn, error) {
	var c net.Conn
	var err error
	if config == nil {
		c, err = d.DialContext(ctx, "tcp", address)
	} else {
		c, err = (&tls.Dialer{NetDialer: d, Config: config}).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, turns: r}, nil
}

// SetDeadline finds the turn by its deadline. The client sets one before each
// command, also of commands that are nobody's turn.
func (c *conn) SetDeadline(d time.Time) error {
	t := c.turns[d.UnixNano()&numberMask].Load()
	if t != nil && !t.deadline.Equal(d) {
		t = nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn = t
	if t != nil && t.add(c) {
		d = past
	}
	return c.Conn.SetDeadline(d)
}

// interrupt ends what the connection does for t, not what it does by now for
// the next.
func (c *conn) interrupt(t *turn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.turn == t {
		_ = c.Conn.SetDeadline(past) // a closed connection has ended it already
	}
}
