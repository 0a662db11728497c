package redis

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// eventually polls, for what no program can tell.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	servers.Eventually(t, what, done)
}

// process is a private server, which a test may kill, stop and start again.
type process struct{ *servers.OwnRedis }

// start starts one. In args PORT stands for its port.
func start(t testing.TB, args ...string) *process {
	t.Helper()
	return &process{servers.NewRedis(t, args...)}
}

func (p *process) url() string { return "redis://" + p.Address() }

// do runs a command on the server itself and returns its answer as text.
func (p *process) do(t testing.TB, words ...string) string {
	t.Helper()
	m, err := p.try(t, words...)
	require.NoError(t, err, words)
	return m
}

func (p *process) try(t testing.TB, words ...string) (string, error) {
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{p.Address()}, Password: p.Password, AlwaysRESP2: true, ForceSingleClient: true, DisableCache: true, DisableRetry: true})
	if err != nil {
		return "", err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	m, err := c.Do(ctx, c.B().Arbitrary(words...).Build()).ToMessage()
	if err != nil {
		return "", err
	}
	if n, err := m.AsInt64(); err == nil && m.IsInt64() {
		return strconv.FormatInt(n, 10), nil
	}
	if list, err := m.AsStrSlice(); err == nil {
		return strings.Join(list, " "), nil
	}
	return m.ToString()
}
