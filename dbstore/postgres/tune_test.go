package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/hosts"
)

func serverCPU() float64 {
	master := os.Getenv("PG_MASTER")
	dirs, _ := filepath.Glob("/proc/[0-9]*/stat")
	var ticks float64
	for _, d := range dirs {
		b, err := os.ReadFile(d)
		if err != nil {
			continue
		}
		s := string(b)
		f := strings.Fields(s[strings.LastIndex(s, ")")+2:])
		pid := strings.Fields(s)[0]
		n := func(i int) float64 { v, _ := strconv.ParseFloat(f[i], 64); return v }
		if f[1] == master {
			ticks += n(11) + n(12)
		}
		if pid == master {
			ticks += n(11) + n(12) + n(13) + n(14)
		}
	}
	return ticks / 100
}

func selfCPU() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func tune(names []string, ops, rounds int, fns []func()) {
	wall := make([][]float64, len(fns))
	cl := make([]float64, len(fns))
	sv := make([]float64, len(fns))
	for _, f := range fns {
		f()
	}
	for range rounds {
		for i, f := range fns {
			c, s, t := selfCPU(), serverCPU(), time.Now()
			f()
			wall[i] = append(wall[i], time.Since(t).Seconds())
			cl[i] += selfCPU() - c
			sv[i] += serverCPU() - s
		}
	}
	var base float64
	for i := range fns {
		sort.Float64s(wall[i])
		m := wall[i][rounds/2]
		if i == 0 {
			base = m
		}
		n := float64(ops * rounds)
		fmt.Printf("%-28s %8.0f/s ratio %.2f  cpu us/op client %.1f server %.1f\n", names[i], float64(ops)/m, base/m, cl[i]*1e6/n, sv[i]*1e6/n)
	}
}

func BenchmarkTune(b *testing.B) {
	w := newBench(b)
	for b.Loop() {
		for _, k := range []int{4, 8, 16, 64, 256} {
			n := 12000 / k
			if k > callers {
				continue
			}
			fns := []func(){w.calls(k, n, w.loadBare(w.pool(8, nil)))}
			names := []string{fmt.Sprint("c=", k, " bare 8")}
			for _, direct := range []int{-1, 2, 4, 8} {
				for _, workers := range []int{1, 2} {
					s := w.open(Options{Loads: hosts.Coalescing{Direct: direct, Workers: workers}})
					fns = append(fns, w.calls(k, n, loadBy(s)))
					names = append(names, fmt.Sprint("c=", k, " direct ", direct, " workers ", workers))
				}
			}
			tune(names, k*n, 7, fns)
		}
	}
}

func BenchmarkProfile(b *testing.B) {
	w := newBench(b)
	s := w.open(Options{Loads: hosts.Coalescing{Direct: -1, Workers: 2}})
	f, _ := os.Create("/tmp/dbstore.prof")
	pprof.StartCPUProfile(f)
	for b.Loop() {
		for range 20 {
			w.calls(callers, 300, loadBy(s))()
		}
	}
	pprof.StopCPUProfile()
	f.Close()
}
