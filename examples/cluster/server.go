//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
	_ "github.com/rockstar-web/sessions/stores/all"
)

// counted is a store that counts its calls. It stands behind the cache.
type counted struct {
	sessions.Store
	loads, saves, deletes atomic.Int64
}

// Unwrap shows what else the store can do.
func (c *counted) Unwrap() sessions.Store { return c.Store }

func (c *counted) Load(ctx context.Context, id core.ID) (core.Record, error) {
	c.loads.Add(1)
	return c.Store.Load(ctx, id)
}

func (c *counted) Save(ctx context.Context, r core.Record, prev core.Version) error {
	c.saves.Add(1)
	return c.Store.Save(ctx, r, prev)
}

func (c *counted) Delete(ctx context.Context, id core.ID) error {
	c.deletes.Add(1)
	return c.Store.Delete(ctx, id)
}

// counts is what a server reports of itself.
type counts struct {
	Loads     int64  `json:"loads"`
	Saves     int64  `json:"saves"`
	Deletes   int64  `json:"deletes"`
	Cached    uint64 `json:"cached"`    // reads without a call
	Questions uint64 `json:"questions"` // of the feed
	Age       int64  `json:"age"`       // of its last answer, in milliseconds; negative: none
}

// state is what a visitor is shown.
type state struct {
	Server int    `json:"server"`
	User   string `json:"user"`
	Clicks int64  `json:"clicks"`
}

var clicks = sessions.Counter("clicks")

// serve is the whole life of one server. It ends when its input does.
func serve(n int, name string) error {
	ctx := context.Background()
	opened, closer, err := stores.Open(ctx, name)
	if err != nil {
		return err
	}
	defer closer.Close()
	store := &counted{Store: opened}
	if _, cached := hosts.As[hosts.Recaller](opened); cached {
		return fmt.Errorf("leave cache= out of %s: this program puts the cache before what counts the calls", storeVariable)
	}
	cache, err := cachestore.NewCached(store, cachestore.CachedOptions{MaxBytes: 8 << 20})
	if err != nil {
		return err
	}
	app, err := sessions.New(cache, sessions.Config{AllowInsecure: true}) // the page is on this machine, without TLS
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, _ *http.Request) {
		s := cache.Stats()
		answer(w, counts{store.loads.Load(), store.saves.Load(), store.deletes.Load(), s.Hits, s.Feed.Questions, age(s)})
	})
	mux.Handle("/", app.Handler(pages(app, n)))
	return http.Serve(listener, mux)
}

func age(s hosts.CacheStats) int64 {
	if s.Feed.Age < 0 {
		return -1
	}
	return s.Feed.Age.Milliseconds()
}

func pages(app *sessions.Middleware, n int) http.Handler {
	mux := http.NewServeMux()
	show := func(w http.ResponseWriter, s *sessions.Session) error {
		c, err := clicks.Get(s)
		if err == nil {
			answer(w, state{n, s.User(), c})
		}
		return err
	}
	mux.Handle("GET /who", app.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *sessions.Session) error {
		return show(w, s)
	}))
	mux.Handle("POST /login", app.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *sessions.Session) error {
		if err := s.Login("alice", 0); err != nil {
			return err
		}
		return show(w, s)
	}))
	mux.Handle("POST /add", app.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *sessions.Session) error {
		c, err := clicks.Add(s, 1)
		if err == nil {
			answer(w, state{n, s.User(), c})
		}
		return err
	}))
	mux.Handle("POST /logout", app.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *sessions.Session) error {
		if err := s.Destroy(); err != nil {
			return err
		}
		answer(w, state{Server: n})
		return nil
	}))
	mux.Handle("GET /plain", app.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *sessions.Session) error {
		c, err := clicks.Get(s)
		if err != nil {
			return err
		}
		return plain.Execute(w, state{n, s.User(), c})
	}))
	mux.Handle("POST /plain", app.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
		if _, err := clicks.Add(s, 1); err != nil {
			return err
		}
		http.Redirect(w, r, "/any/plain", http.StatusSeeOther)
		return nil
	}))
	return mux
}

// plain is the page for those without scripts.
var plain = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Three servers, one store</title><link rel="stylesheet" href="/page.css">
<main><h1>Three servers, one store</h1><p>Server {{.Server}} answers. Clicks: <strong id="clicks">{{.Clicks}}</strong></p>
<form method="post" action="/any/plain"><button>Add 1 on any server</button></form></main></html>
`))

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // whoever asked may be gone
}
