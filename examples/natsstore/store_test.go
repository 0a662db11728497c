package natsstore_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	_ "github.com/rockstar-web/sessions/examples/natsstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
)

const patience = 30 * time.Second

// start runs one server, or as many as a cluster has, and returns an address.
func start(t *testing.T, n int) string {
	t.Helper()
	var ports []int
	var routes []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
		routes = append(routes, "nats://"+l.Addr().String())
		require.NoError(t, l.Close())
	}
	var servers []*server.Server
	for i := range n {
		o := &server.Options{ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(),
			MaxPayload: 2 << 20, NoLog: true, NoSigs: true}
		if n > 1 {
			o.Cluster = server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: ports[i]}
			o.Routes = server.RoutesFromStr(strings.Join(routes, ","))
		}
		s, err := server.NewServer(o)
		require.NoError(t, err)
		go s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		servers = append(servers, s)
	}
	for _, s := range servers {
		require.True(t, s.ReadyForConnections(patience))
	}
	knowsAll := func(s *server.Server) bool { return s.JetStreamIsLeader() && len(s.JetStreamClusterPeers()) == n }
	require.Eventually(t, func() bool { return n == 1 || slices.ContainsFunc(servers, knowsAll) }, patience, patience/1000)
	return servers[0].Addr().String()
}

// scratch opens a fresh bucket as two processes would.
func scratch(t *testing.T, name string) (a, b hosts.Store) {
	t.Helper()
	n, err := stores.Scratch(t.Context(), name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Drop(context.Background())) })
	var handles [2]hosts.Store
	for i := range handles {
		s, closer, err := n.Open(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { closer.Close() })
		handles[i] = s
	}
	return handles[0], handles[1]
}

func TestStore(t *testing.T) {
	for name, n := range map[string]int{"one server": 1, "a cluster of three": 3} {
		t.Run(name, func(t *testing.T) {
			if n > 1 && testing.Short() {
				t.Skip("takes long; this run is short")
			}
			url := fmt.Sprintf("nats://%s/sessions?replicas=%d", start(t, n), n)
			conformance.TestShared(t, func(t *testing.T) (a, b hosts.Store) { return scratch(t, url) })
		})
	}
}

func TestModel(t *testing.T) {
	url := "nats://" + start(t, 1)
	conformance.TestModelShared(t, func(t *testing.T) (a, b hosts.Store) { return scratch(t, url) })
}

func TestOutage(t *testing.T) {
	way, err := conformance.NewProxy(start(t, 1))
	require.NoError(t, err)
	t.Cleanup(func() { way.Close() })
	conformance.TestOutage(t, func(t *testing.T) hosts.Store {
		s, _ := scratch(t, "nats://"+way.Addr())
		return s
	}, way)
}

func TestNames(t *testing.T) {
	addr := start(t, 1)
	for _, name := range []string{"nats:", "nats://", "nats://me:hush@" + addr + "/a.b", "nats://me:hu%sh@" + addr, "nats://me:hush@" + addr + "?replicas=many", "nats://me:hush@127.0.0.1:1"} {
		_, _, err := stores.Open(t.Context(), name)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "hush")
	}
	_, _, err := stores.OpenExisting(t.Context(), "nats://"+addr)
	require.ErrorIs(t, err, stores.ErrNoStore)

	// A bucket as others make it answers from copies.
	conn, err := nats.Connect("nats://" + addr)
	require.NoError(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	_, err = js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "theirs"})
	require.NoError(t, err)
	_, _, err = stores.Open(t.Context(), "nats://"+addr+"/theirs")
	require.ErrorContains(t, err, "theirs was not made by this store")
}

// TestTheServerForgets what has expired, with the retention, and tombstones.
func TestTheServerForgets(t *testing.T) {
	addr := start(t, 1)
	s, closer, err := stores.Open(t.Context(), "nats://"+addr)
	require.NoError(t, err)
	defer closer.Close()
	now := core.TimeOf(time.Now())
	r := core.Record{ID: core.ID{1}, Version: 1, CreatedAt: now, SeenAt: now, ExpiresAt: now + 2*core.Hour, Sealed: []byte("x")}
	require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
	conn, err := nats.Connect("nats://" + addr)
	require.NoError(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	stream, err := js.Stream(t.Context(), "KV_sessions")
	require.NoError(t, err)
	stays := func() time.Duration {
		m, err := stream.GetLastMsgForSubject(t.Context(), "$KV.sessions."+r.ID.String())
		require.NoError(t, err)
		d, err := time.ParseDuration(m.Header.Get("Nats-TTL"))
		require.NoError(t, err)
		return d
	}
	require.InDelta(t, 3*time.Hour, stays(), float64(time.Minute))
	require.NoError(t, s.Delete(t.Context(), r.ID))
	require.Equal(t, 24*time.Hour, stays())
}

func TestCommand(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "natsctl")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-w", "-o", bin, "./cmd").CombinedOutput()
	require.NoError(t, err, string(out))
	at := url.URL{Scheme: "nats", Host: start(t, 1)}
	command := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), bin, args...)
		cmd.Env = append(os.Environ(), "SESSION_ENCRYPTION_KEY=8f1b41207465737420206b65792c2072656164206279206e6f626f6479212121")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	text := command("check", "--brief", at.String())
	require.Contains(t, text, "kept      insert-taken")
	require.NotContains(t, text, "broken promise")

	s, closer, err := stores.Open(t.Context(), at.String())
	require.NoError(t, err)
	defer closer.Close()
	now := core.TimeOf(time.Now())
	require.NoError(t, s.Save(t.Context(), core.Record{ID: core.ID{7}, Version: 1, User: "alice", CreatedAt: now, SeenAt: now, ExpiresAt: now + core.Hour, Sealed: []byte("x")}, core.NoVersion))
	require.Contains(t, command("list", "--store", at.String()), "alice")
}
