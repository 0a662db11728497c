package redis

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

const password = "correct-horse"

func TestPasswords(t *testing.T) {
	p := start(t, "--requirepass", password)
	p.Password = password
	for _, login := range []string{"", ":wrong-battery@", "nobody:wrong-battery@", "default:wrong-battery@"} {
		_, err := Open(t.Context(), "redis://"+login+p.Address(), Options{})
		require.ErrorIs(t, err, hosts.ErrUnavailable, login)
		require.ErrorContains(t, err, "password")
		require.NotContains(t, err.Error(), "battery")
	}
	s := open(t, "redis://:"+password+"@"+p.Address(), Options{})
	r := save(t, s, newRecord(), core.NoVersion)

	// The password changes while the store is open.
	c := open(t, "redis://:"+password+"@"+p.Address(), Options{})
	p.do(t, "CONFIG", "SET", "requirepass", "another")
	p.Password = "another"
	p.do(t, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	_, err := c.Load(t.Context(), r.ID)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.NotContains(t, err.Error(), password)
}

// The rights that the documentation lists are enough, and one less is told.
func TestRights(t *testing.T) {
	p := start(t)
	list := listedRights(t)
	p.do(t, append(strings.Fields("ACL SETUSER app on >secret resetkeys -@all +hello +select +client +ping +info +wait"), list...)...)
	url := "redis://app:secret@" + p.Address()
	s := open(t, url, Options{})
	work(t, s)
	cached := open(t, url, Options{Cache: time.Minute})
	work(t, cached)

	p.do(t, "ACL", "SETUSER", "app", "-set")
	r := newRecord()
	err := s.Save(t.Context(), r, core.NoVersion)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.ErrorContains(t, err, "NOPERM")
	requireGone(t, s, r.ID)
}

// listedRights reads the package documentation.
func listedRights(t *testing.T) []string {
	text, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "//\t~session:*"); ok {
			return append(strings.Fields(rest), "~session:*")
		}
	}
	t.Fatal("the documentation lists no rights")
	return nil
}

// work makes every kind of call.
func work(t *testing.T, s *Store) {
	r := save(t, s, newRecord(), core.NoVersion)
	was := r
	r = next(r)
	r.User, r.ExpiresAt = "bob", r.ExpiresAt+core.Day
	save(t, s, r, was.Version)
	requireHolds(t, s, r)
	other := save(t, s, newRecord(), core.NoVersion)
	s.expire(t, other)
	found, err := s.Find(t.Context(), hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 10)
	require.NoError(t, err)
	require.Equal(t, []core.ID{r.ID}, idsOf(found))
	for _, l := range s.LoadMany(t.Context(), []core.ID{r.ID, other.ID}) {
		require.True(t, l.Err == nil || errors.Is(l.Err, core.ErrNotFound), l.Err)
	}
	require.NoError(t, s.Delete(t.Context(), r.ID))
	requireGone(t, s, r.ID)
}

func TestReplicaIsRefused(t *testing.T) {
	primary := start(t)
	replica := start(t)
	s := open(t, replica.url(), Options{})
	r := save(t, s, newRecord(), core.NoVersion)
	replica.do(t, "REPLICAOF", "127.0.0.1", strings.Split(primary.Address(), ":")[1])
	eventually(t, "the replica is in step", func() bool {
		return replica.Shows(t, "master_link_status:up", "INFO", "replication")
	})
	_, err := Open(t.Context(), replica.url(), Options{})
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.ErrorContains(t, err, "replica")
	for _, err := range []error{s.Save(t.Context(), r, core.NoVersion), s.Delete(t.Context(), r.ID)} {
		require.ErrorIs(t, err, hosts.ErrUnavailable)
		require.ErrorContains(t, err, "READONLY")
		require.ErrorContains(t, err, "name the primary")
	}
}

func TestEvictionIsRefused(t *testing.T) {
	p := start(t, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
	_, err := Open(t.Context(), p.url(), Options{})
	require.ErrorIs(t, err, ErrEvicts)
	require.ErrorContains(t, err, "allkeys-lru")
	require.ErrorContains(t, err, "noeviction")

	s := open(t, p.url(), Options{AllowEviction: true})
	require.ErrorIs(t, s.Check(t.Context()), ErrEvicts)
	p.do(t, "CONFIG", "SET", "maxmemory-policy", "volatile-ttl")
	require.ErrorIs(t, s.Check(t.Context()), ErrEvicts)
	p.do(t, "CONFIG", "SET", "maxmemory", "0")
	require.NoError(t, s.Check(t.Context()), "without a bound nothing is evicted")
	p.do(t, "CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "noeviction")
	require.NoError(t, s.Check(t.Context()))

	p.do(t, "ACL", "SETUSER", "default", "-info")
	require.ErrorIs(t, s.Check(t.Context()), ErrPolicyUnknown)
	require.NotErrorIs(t, s.Check(t.Context()), ErrEvicts)
	work(t, open(t, p.url(), Options{}))
}

func TestServerThatIsNotThere(t *testing.T) {
	began := time.Now()
	for _, url := range []string{"redis://", "redis+cluster://", "redis+sentinel://"} {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(servers.FreePort(t)))
		_, err := Open(t.Context(), strings.Replace(url+address+"/main", "cluster://"+address+"/main", "cluster://"+address, 1), Options{})
		if strings.HasPrefix(url, "redis://") {
			_, err = Open(t.Context(), url+address, Options{})
		}
		require.ErrorIs(t, err, hosts.ErrUnavailable, url)
		require.ErrorContains(t, err, "redis: connect", url)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Open(ctx, "redis://127.0.0.1:1", Options{})
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, time.Since(began), patience)
}

// A listener that says nothing: the context ends the opening.
func TestOpenEndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = Open(ctx, "redis://"+l.Addr().String(), Options{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = Open(t.Context(), "redis://"+l.Addr().String(), Options{Timeout: 50 * time.Millisecond})
	require.ErrorIs(t, err, hosts.ErrUnavailable)
}

func TestOneServerOfACluster(t *testing.T) {
	p := start(t, "--cluster-enabled", "yes", "--cluster-port", "0")
	_, err := Open(t.Context(), p.url(), Options{})
	var refused *hosts.ConfigError
	require.ErrorAs(t, err, &refused)
	require.ErrorContains(t, err, "redis+cluster://")
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	roots := certificate(t, dir)
	p := start(t, "--port", "0", "--tls-port", "PORT", "--tls-cert-file", filepath.Join(dir, "cert"), "--tls-key-file", filepath.Join(dir, "key"), "--tls-auth-clients", "no")
	url := "rediss://" + p.Address()
	_, err := Open(t.Context(), url, Options{})
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.ErrorContains(t, err, "certificate")
	s := open(t, url, Options{TLS: &tls.Config{RootCAs: roots}})
	work(t, s)
	require.Empty(t, changed(t, follow(t, s)))
}

func certificate(t *testing.T, dir string) *x509.CertPool {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cert"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return roots
}
