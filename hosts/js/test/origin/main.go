// Origin is the Go application of the story: it signs alice in and out, shows
// her session, and lends its store to the edge.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	store, err := cachestore.Open(cachestore.Options{})
	if err != nil {
		return err
	}
	manager, err := hosts.New(store, hosts.Config{Key: core.NewSecret(os.Getenv("KEY")), AllowInsecure: true, BindUserAgent: true})
	if err != nil {
		return err
	}
	mw, err := nethttp.New(manager, nethttp.Options{})
	if err != nil {
		return err
	}
	lent, err := nethttp.StoreHandler(store, os.Getenv("TOKEN"))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/store/", http.StripPrefix("/store", lent))
	mux.Handle("/", mw.Handler(http.HandlerFunc(page)))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", l.Addr())
	return http.Serve(l, mux)
}

func page(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	var flash any
	if err == nil {
		switch r.URL.Path {
		case "/login":
			if err = v.Login("alice", 0); err == nil {
				err = errors.Join(v.Put("roles", []string{"admin", "editor"}), v.Put("flash", "hello"))
			}
		case "/visit":
			_, err = v.Add("visits", 1)
			err = errors.Join(err, hosts.Update(v, "log", func(log []any) ([]any, error) { return append(log, "go"), nil }))
		case "/short": // a session that is over soon
			err = v.Login("alice", time.Second)
		case "/logout":
			err = v.Destroy()
		case "/take":
			if flash, err = v.Take("flash"); errors.Is(err, hosts.ErrNoValue) {
				err = nil
			}
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	visits, _ := v.Get("visits")
	last, _ := v.Get("last")
	log, _ := v.Get("log")
	roles, _ := v.Get("roles")
	reason := ""
	if refusal := v.Refusal(); refusal != nil {
		reason = core.ReasonOf(refusal).String()
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"user": v.User(), "visits": visits, "last": last, "log": log, "flash": flash, "roles": roles, "reason": reason, "roles_type": fmt.Sprintf("%T", roles)})
}
