// Command server answers requests that read a session, in one of several ways.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/pgxstore"
	"github.com/alexedwards/scs/v2"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/stores"
	_ "github.com/rockstar-web/sessions/stores/all"
)

// key is of no other use.
var key = core.NewSecret("\x18\xa2reads, measured, not a secret.."[:32])

func main() {
	way := flag.String("way", "none", "none, ours or scs")
	name := flag.String("store", "", "a store's name, or a URL")
	flag.Parse()
	var h http.Handler
	switch *way {
	case "none":
		mux := http.NewServeMux() // as the others have it
		mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { answer(w, "alice") })
		h = mux
	case "ours":
		h = ours(*name)
	case "scs":
		h = theirs(*name)
	default:
		log.Fatalf("-way is %q; allowed: none, ours, scs", *way)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	fmt.Fprintln(os.Stderr, http.Serve(listener, h))
}

func answer(w http.ResponseWriter, user string) { _, _ = fmt.Fprintln(w, "hello", user) }

func ours(name string) http.Handler {
	store, _, err := stores.Open(context.Background(), name)
	if err != nil {
		log.Fatal(err)
	}
	m, err := hosts.New(store, hosts.Config{Key: key, AllowInsecure: true, NoCleanup: true})
	if err != nil {
		log.Fatal(err)
	}
	mw, err := nethttp.New(m, nethttp.Options{})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /login", mw.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
		if err := s.Put("cart", "three apples and a pear, or so"); err != nil {
			return err
		}
		return s.Login("alice", 0)
	}))
	mux.Handle("POST /add", mw.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
		_, err := s.Add("n", 1)
		return err
	}))
	mux.Handle("GET /", mw.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
		if _, err := s.Get("cart"); err != nil {
			return err
		}
		answer(w, s.User())
		return nil
	}))
	return mw.Handler(mux)
}

func theirs(url string) http.Handler {
	sm := scs.New()
	sm.Lifetime = time.Hour
	if options, err := redis.ParseURL(url); err == nil {
		sm.Store = goredisstore.New(redis.NewClient(options))
	} else {
		config, err := pgxpool.ParseConfig(url)
		if err != nil {
			log.Fatal(err)
		}
		config.MaxConns = 64
		config.ConnConfig.RuntimeParams["search_path"] = "reads_theirs"
		pool, err := pgxpool.NewWithConfig(context.Background(), config)
		if err != nil {
			log.Fatal(err)
		}
		for _, text := range []string{"CREATE SCHEMA IF NOT EXISTS reads_theirs", "CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)"} {
			if _, err := pool.Exec(context.Background(), text); err != nil {
				log.Fatal(err)
			}
		}
		sm.Store = pgxstore.NewWithCleanupInterval(pool, 0)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		sm.Put(r.Context(), "user", "alice")
		sm.Put(r.Context(), "cart", "three apples and a pear, or so")
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		_ = sm.GetString(r.Context(), "cart")
		answer(w, sm.GetString(r.Context(), "user"))
	})
	return sm.LoadAndSave(mux)
}
