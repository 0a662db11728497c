//go:build unix

package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	stopped  = 2 * time.Second        // how long a server is stopped
	asking   = 300 * time.Millisecond // how long a server has for its counts
	patience = 5 * time.Second        // for any other answer
)

//go:embed static
var static embed.FS

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// front is what the browser sees: one origin before all servers.
type front struct {
	*fleet
	client *http.Client
}

func newFront(f *fleet) http.Handler {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = patience
	t := &front{f, &http.Client{Transport: transport, Timeout: patience}}
	files, _ := fs.Sub(static, "static") // it is there
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(files))
	mux.HandleFunc("GET /counts", t.counts)
	mux.HandleFunc("POST /stop", t.stop)
	mux.HandleFunc("POST /kill", t.restart)
	mux.HandleFunc("POST /signout", t.signOut)
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: t.route, ErrorHandler: unanswered}
	for _, prefix := range []string{"/1/", "/2/", "/3/", "/any/"} {
		mux.Handle(prefix, proxy)
	}
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		guarded.ServeHTTP(w, r)
	})
}

// pick returns the server of that number, or any.
func (t *front) pick(name string) *process {
	if n, err := strconv.Atoi(name); err == nil && n >= 1 && n <= servers {
		return t.fleet[n-1]
	}
	return t.fleet[rand.IntN(servers)]
}

// route sends a request to the server that its path begins with.
func (t *front) route(r *httputil.ProxyRequest) {
	name, path, _ := strings.Cut(strings.TrimPrefix(r.In.URL.Path, "/"), "/")
	r.Out.URL.Path = "/" + path
	r.SetURL(&url.URL{Scheme: "http", Host: t.pick(name).address()})
}

func unanswered(w http.ResponseWriter, r *http.Request, err error) {
	log.Printf("%s %s: %v", r.Method, r.URL.Path, err)
	http.Error(w, "this server does not answer", http.StatusBadGateway)
}

// ask sends a request to a server and decodes what it answers.
func (t *front) ask(ctx context.Context, p *process, method, path, cookie string, v any) (http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+p.address()+path, nil)
	if err != nil {
		return nil, err
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	a, err := t.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("server %d answers %s", p.n, a.Status)
	}
	return a.Header, json.NewDecoder(a.Body).Decode(v)
}

// counts asks all servers at once; one that does not answer in time has null.
func (t *front) counts(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), asking)
	defer cancel()
	var all [servers]*counts
	var wait sync.WaitGroup
	for i, p := range t.fleet {
		wait.Go(func() {
			c := new(counts)
			if _, err := t.ask(ctx, p, "GET", "/counts", "", c); err == nil {
				all[i] = c
			}
		})
	}
	wait.Wait()
	answer(w, all)
}

// stop stops server 2 as a long pause would, and has it go on.
func (t *front) stop(w http.ResponseWriter, _ *http.Request) {
	p := t.fleet[1]
	if err := p.signal(syscall.SIGSTOP); err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	time.AfterFunc(stopped, func() { _ = p.signal(syscall.SIGCONT) }) // unless it was killed
	answer(w, stopped.Milliseconds())
}

func (t *front) restart(w http.ResponseWriter, _ *http.Request) {
	if err := t.fleet[2].restart(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, true)
}
