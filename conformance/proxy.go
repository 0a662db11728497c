package conformance

import (
	"io"
	"net"
	"sync"
)

// Proxy stands between a store and a server that it reaches by TCP, and is an
// [Outage] of it. The store is opened on Addr.
type Proxy struct {
	server string
	listen net.Listener
	pumps  sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed when one of these changes
	stalled bool
	down    bool
	lose    int
	closed  bool
	conns   map[net.Conn]bool
}

// NewProxy returns a proxy before server, a host and a port, that listens on a
// free port of this machine.
func NewProxy(server string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{server: server, listen: l, changed: make(chan struct{}), conns: make(map[net.Conn]bool)}
	p.pumps.Go(p.accept)
	return p, nil
}

// Addr is the host and port to open the store on.
func (p *Proxy) Addr() string { return p.listen.Addr().String() }

// Close cuts all connections.
func (p *Proxy) Close() error {
	err := p.listen.Close()
	p.set(func() { p.closed, p.down = true, true })
	p.pumps.Wait()
	return err
}

// Stall lets no byte through, and takes new connections.
func (p *Proxy) Stall() { p.set(func() { p.stalled = true }) }

// Down cuts all connections, and each new one at once.
func (p *Proxy) Down() { p.set(func() { p.down = true }) }

// Lose drops what the server sends next, and cuts the connection: so many times.
func (p *Proxy) Lose(answers int) { p.set(func() { p.lose = answers }) }

// Resume lets everything through.
func (p *Proxy) Resume() { p.set(func() { p.stalled, p.down, p.lose = false, p.closed, 0 }) }

// set changes what is let through.
func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.changed)
	p.changed = make(chan struct{})
	if p.down {
		for c := range p.conns {
			c.Close()
		}
		clear(p.conns)
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listen.Accept()
		if err != nil {
			return
		}
		p.pumps.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	if !p.keep(client) || !p.pass() {
		return
	}
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	if !p.keep(server) {
		return
	}
	defer p.forget(client, server)
	var both sync.WaitGroup
	for _, w := range [][2]net.Conn{{client, server}, {server, client}} {
		both.Go(func() {
			defer client.Close()
			defer server.Close()
			p.pump(w[0], w[1], w[0] == server)
		})
	}
	both.Wait()
}

// pump copies until one of the connections ends.
func (p *Proxy) pump(from io.Reader, to io.Writer, answers bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !p.pass() || answers && p.lost() {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass waits while everything is stalled. False means that the server is gone.
func (p *Proxy) pass() bool {
	for {
		p.mu.Lock()
		stalled, down, changed := p.stalled, p.down, p.changed
		p.mu.Unlock()
		switch {
		case down:
			return false
		case !stalled:
			return true
		}
		<-changed
	}
}

// lost reports whether an answer is one to be lost, and counts it.
func (p *Proxy) lost() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lose == 0 {
		return false
	}
	p.lose--
	return true
}

// keep notes a connection, to be cut. False means that it is to end now.
func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return false
	}
	p.conns[c] = true
	return true
}

func (p *Proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}
