package tests

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy stands between a store and its server, and breaks what passes.
type proxy struct {
	server string
	listen net.Listener
	wait   sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	down  bool   // takes no connection
	on    string // a request with these bytes in it is the moment to cut
	where place
	cuts  int
}

type place int

const (
	before place = iota // the request does not arrive
	behind              // it does, and its answer is lost
)

func (w *world) proxied() (*proxy, func(*url.URL)) {
	p := newProxy(w, w.url(w))
	return p, func(u *url.URL) { u.Host = p.listen.Addr().String() }
}

func newProxy(t testing.TB, server string) *proxy {
	u, err := url.Parse(server)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{server: u.Host, listen: l, conns: map[net.Conn]bool{}}
	p.wait.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.cutAll()
		p.wait.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		client, err := p.listen.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		refuse := p.down
		p.conns[client], p.conns[server] = true, true
		p.mu.Unlock()
		if refuse {
			p.cut(client, server)
			continue
		}
		lost := make(chan struct{}) // closed when answers are lost from here on
		var once sync.Once
		p.wait.Go(func() { p.requests(client, server, func() { once.Do(func() { close(lost) }) }) })
		p.wait.Go(func() { p.answers(client, server, lost) })
	}
}

func (p *proxy) requests(client, server net.Conn, lose func()) {
	defer p.cut(client, server)
	buf := make([]byte, 1<<20)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		p.mu.Lock()
		met := p.on != "" && bytes.Contains(buf[:n], []byte(p.on))
		if met {
			p.on = ""
			p.cuts++
		}
		where := p.where
		p.mu.Unlock()
		if met && where == before {
			return
		}
		if met {
			lose()
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}

// answers reads on when an answer is lost, to the first byte of it: then
// the server has done what it was asked.
func (p *proxy) answers(client, server net.Conn, lost chan struct{}) {
	defer p.cut(client, server)
	buf := make([]byte, 1<<16)
	for {
		n, err := server.Read(buf)
		select {
		case <-lost:
			return
		default:
		}
		if err != nil {
			return
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) cut(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(p.conns, c)
	}
}

// cutAll is the server's end, as its clients see it.
func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

func (p *proxy) setDown(down bool) {
	p.mu.Lock()
	p.down = down
	p.mu.Unlock()
	if down {
		p.cutAll()
	}
}

// cutOn cuts one connection at the next request that has the bytes in it.
func (p *proxy) cutOn(text string, where place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on, p.where, p.cuts = text, where, 0
}

func (p *proxy) cutsMade() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}
