//go:build unix

// Three servers on one store, each with a cache before it, and a page on which their
// store calls are counted while you click, stop one of them and sign out.
//
//	go run ./cluster     # STORE=postgres://... for another store than an SQLite file, without cache=
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// asServer makes this program one of the servers: it has the number of it.
const asServer = "CLUSTER_SERVER"

// What the servers are given: others may see the arguments of a process.
const (
	storeVariable = "STORE"
	keyVariable   = "SESSION_ENCRYPTION_KEY"
)

func main() {
	if n, err := strconv.Atoi(os.Getenv(asServer)); err == nil {
		log.SetPrefix(fmt.Sprint("server ", n, ": "))
		log.Fatal(serve(n, os.Getenv(storeVariable)))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, cmp.Or(os.Getenv("ADDR"), "127.0.0.1:8080"), os.Getenv(storeVariable)); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr, store string) (err error) {
	host, _, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("ADDR is %q: allowed is an address of this machine, such as 127.0.0.1:8080: everybody is let in", addr)
	}
	if store == "" {
		dir, err := os.MkdirTemp("", "cluster")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		store = "sqlite:" + filepath.Join(dir, "sessions.db")
	}
	fleet, err := launch(store, newKey())
	if err != nil {
		return err
	}
	defer fleet.close()
	server := &http.Server{Handler: newFront(fleet), ReadHeaderTimeout: 10 * time.Second}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/\n", listener.Addr())
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// newKey draws the key that the servers share: the sessions end with the program.
func newKey() string {
	var key [32]byte
	rand.Read(key[:]) // never fails
	return hex.EncodeToString(key[:])
}
