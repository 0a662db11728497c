package reads

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/conformance/servers"
)

const (
	connections = 64
	visitors    = 1000
	requests    = 10_000 // of one round
	rounds      = 5
)

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// database is a server of ours and the processes whose CPU time counts with it.
type database struct {
	name string
	url  string
	pid  int
}

// Targets of a request with a cache, of the same in another way.
var targets = map[string]struct{ plain, scs float64 }{
	"postgres": {1. / 5, 1. / 15},
	"redis":    {1. / 4, 1. / 8},
}

func databases(b *testing.B) []database {
	ctx := context.Background()
	p := database{name: "postgres", url: servers.Postgres(b)}
	conn, err := pgx.Connect(ctx, p.url)
	require.NoError(b, err)
	var backend int
	require.NoError(b, conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend))
	p.pid, _, _ = stat(backend)
	require.NoError(b, conn.Close(ctx))

	r := database{name: "redis", url: servers.Redis(b)}
	options, err := redis.ParseURL(r.url)
	require.NoError(b, err)
	client := redis.NewClient(options)
	info, err := client.Info(ctx, "server").Result()
	require.NoError(b, err)
	require.NoError(b, client.Close())
	for line := range strings.SplitSeq(info, "\r\n") {
		if text, ok := strings.CutPrefix(line, "process_id:"); ok {
			r.pid, err = strconv.Atoi(text)
			require.NoError(b, err)
		}
	}
	return []database{p, r}
}

func with(url, option string) string {
	if strings.Contains(url, "?") {
		return url + "&" + option
	}
	return url + "?" + option
}

// BenchmarkRatioReads compares the CPU time of server and database, above that of the
// same handler without sessions. Rounds take turns.
func BenchmarkRatioReads(b *testing.B) {
	for _, d := range databases(b) {
		b.Run(d.name, func(b *testing.B) {
			for b.Loop() {
				ways := []*server{
					start(b, 0, "-way", "none"),
					start(b, visitors, "-way", "ours", "-store", with(d.url, "cache=64MiB")),
					start(b, visitors, "-way", "ours", "-store", d.url),
					start(b, visitors, "-way", "scs", "-store", d.url),
					start(b, visitors, "-way", "ours", "-store", "memory:"),
				}
				ways[0].cookies = ways[1].cookies // the same requests
				cpu, wall := make([]time.Duration, len(ways)), make([]time.Duration, len(ways))
				for round := range rounds + 1 {
					for i, s := range ways {
						used, begun := cpuOf(s.pid, d.pid), time.Now()
						s.ask(requests, "GET", "/")
						if round > 0 { // else it warms up
							cpu[i] += cpuOf(s.pid, d.pid) - used
							wall[i] += time.Since(begun)
						}
					}
				}
				above := func(i int) float64 { return float64(cpu[i]-cpu[0]) / (rounds * requests) / 1000 }
				b.Logf("%s: CPU microseconds above %.1f: cached %.1f, not cached %.1f, scs %.1f, memory %.1f; a second %.0f, %.0f, %.0f, %.0f",
					d.name, float64(cpu[0])/(rounds*requests)/1000, above(1), above(2), above(3), above(4),
					perSecond(wall[1]), perSecond(wall[2]), perSecond(wall[3]), perSecond(wall[4]))
				t := targets[d.name]
				ratio.Print("read-on-"+d.name+"-cached-of-not-cached", above(1)/above(2), t.plain, false)
				ratio.Print("read-on-"+d.name+"-cached-of-scs", above(1)/above(3), t.scs, false)
				ratio.Print("read-on-"+d.name+"-cached-of-memory", above(1)/above(4), 1.3, false)
			}
		})
	}
}

// BenchmarkRatioAdds compares requests that add to a value without reading it: with a
// cache they ask the store once, to save.
func BenchmarkRatioAdds(b *testing.B) {
	for _, d := range databases(b) {
		b.Run(d.name, func(b *testing.B) {
			for b.Loop() {
				ways := []*server{
					start(b, visitors, "-way", "ours", "-store", with(d.url, "cache=64MiB")),
					start(b, visitors, "-way", "ours", "-store", d.url),
				}
				cpu, wall := make([]time.Duration, len(ways)), make([]time.Duration, len(ways))
				for round := range rounds + 1 {
					for i, s := range ways {
						used, begun := cpuOf(d.pid), time.Now()
						s.ask(requests, "POST", "/add")
						if round > 0 {
							cpu[i] += cpuOf(d.pid) - used
							wall[i] += time.Since(begun)
						}
					}
				}
				b.Logf("%s: CPU microseconds of the database: cached %.1f, not cached %.1f; a second %.0f, %.0f", d.name,
					float64(cpu[0])/(rounds*requests)/1000, float64(cpu[1])/(rounds*requests)/1000, perSecond(wall[0]), perSecond(wall[1]))
				ratio.Print("add-on-"+d.name+"-cached-of-not-cached", wall[1].Seconds()/wall[0].Seconds(), 1, true)
			}
		})
	}
}

func perSecond(d time.Duration) float64 { return rounds * requests / d.Seconds() }
