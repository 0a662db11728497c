// Command server is one of several processes on one store, for the tests of this folder.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/cachestore/redis"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/stores"
	_ "github.com/rockstar-web/sessions/stores/all"
)

// key is of no other use.
var key = core.NewSecret("\x17\xa2several processes, not a secret"[:32])

// hidden is a store of which the manager does not know that it is cached by others, as
// in a release before caches.
type hidden struct{ hosts.Store }

// shift is by how much somebody has set the wall clock of this process.
var shift atomic.Int64

// shifted is that clock, for the manager.
type shifted struct{}

func (shifted) Now() core.Time { return core.TimeOf(time.Now().Add(time.Duration(shift.Load()))) }

// moment is that clock, for the cache. What only goes forward does so for everybody.
func moment() feed.Moment {
	m := feed.SystemClock()
	m.Wall += time.Duration(shift.Load())
	return m
}

// setClock takes by how much: POST /clock?by=-10m.
func setClock(w http.ResponseWriter, r *http.Request) {
	d, err := time.ParseDuration(r.FormValue("by"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	shift.Store(int64(d))
}

// open opens a store, on Redis one that has so many replicas acknowledge a logout.
func open(name string, replicas int) (hosts.Store, io.Closer, error) {
	if replicas == 0 {
		return stores.Open(context.Background(), name)
	}
	s, err := redis.Open(context.Background(), name, redis.Options{WaitReplicas: replicas})
	return s, s, err
}

func main() {
	name := flag.String("store", "", "the store's name")
	address := flag.String("addr", "127.0.0.1:0", "where to listen")
	size := flag.Int64("cache", 0, "bytes; 0 is no cache")
	careless := flag.Bool("careless", false, "do not wait at a logout")
	replicas := flag.Int("replicas", 0, "of Redis, which acknowledge a logout")
	flag.Parse()
	store, closer, err := open(*name, *replicas)
	if err != nil {
		log.Fatal(err)
	}
	defer closer.Close()
	stats := func() hosts.CacheStats { return hosts.CacheStats{} }
	if *size > 0 {
		c, err := cachestore.NewCached(store, cachestore.CachedOptions{MaxBytes: *size, Clock: moment})
		if err != nil {
			log.Fatal(err)
		}
		store, stats = c, c.Stats
	}
	if *careless {
		store = hidden{store}
	}
	m, err := hosts.New(store, hosts.Config{Key: key, AllowInsecure: true, NoCleanup: true, Clock: shifted{}})
	if err != nil {
		log.Fatal(err)
	}
	mw, err := nethttp.New(m, nethttp.Options{})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	mux := http.NewServeMux()
	mux.Handle("/", mw.Handler(pages(mw)))
	mux.HandleFunc("POST /clock", setClock)
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(stats()) })
	fmt.Fprintln(os.Stderr, http.Serve(listener, mux))
}

func pages(mw *nethttp.Middleware) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /login", mw.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
		return s.Login(r.FormValue("user"), 0)
	}))
	mux.Handle("GET /who", mw.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
		n, _ := s.Get("n")
		_, err := fmt.Fprint(w, s.User(), " ", n)
		return err
	}))
	mux.Handle("POST /add", mw.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
		_, err := s.Add("n", 1)
		return err
	}))
	mux.Handle("GET /events", mw.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
		ended, err := s.Ended()
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "data: hello %s\n\n", s.User())
		w.(http.Flusher).Flush()
		select {
		case <-ended:
		case <-r.Context().Done():
		}
		return nil
	}))
	mux.Handle("POST /logout", mw.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error { return s.Destroy() }))
	mux.Handle("POST /everywhere", mw.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
		_, err := s.SignOutEverywhere(r.Context())
		return err
	}))
	return mux
}
