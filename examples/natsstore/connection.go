package natsstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rockstar-web/sessions/hosts"
)

const reconnectWait = 200 * time.Millisecond

// connection ends the calls that wait for an answer when it is lost. The client by
// itself would let them wait for as long as they may.
type connection struct {
	*nats.Conn
	mu   sync.Mutex
	up   context.Context // ends with the connection
	down context.CancelFunc
}

func connect(server string) (*connection, jetstream.JetStream, error) {
	c := &connection{}
	c.lost(nil, nil)
	var err error
	c.Conn, err = nats.Connect(server, nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait), nats.DisconnectErrHandler(c.lost),
		nats.ReconnectBufSize(-1)) // a call while it is lost fails at once
	if err != nil {
		return nil, nil, fmt.Errorf("%w: nats: %v", hosts.ErrUnavailable, err)
	}
	js, err := jetstream.New(c.Conn)
	if err != nil {
		c.Close()
		return nil, nil, err
	}
	return c, js, nil
}

func (c *connection) lost(*nats.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down != nil {
		c.down()
	}
	c.up, c.down = context.WithCancel(context.Background())
}

// bound is ctx until the connection is lost.
func (c *connection) bound(ctx context.Context) (asking context.Context, done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	asking, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.up, cancel)
	return asking, func() { stop(); cancel() }
}
