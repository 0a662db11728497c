package otel

import (
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

type number interface{ int | int64 | uint64 | float64 }

func one[N number](of func(*snapshot) N) func(*snapshot, report) {
	return func(s *snapshot, report report) { report(float64(of(s)), "") }
}

func reasons(of func(*snapshot) map[core.Reason]uint64) func(*snapshot, report) {
	return func(s *snapshot, report report) {
		for reason, n := range of(s) {
			report(float64(n), reason.String())
		}
	}
}

func touches(s *snapshot, report report) {
	report(float64(s.Touches), "stored")
	report(float64(s.Untouched), "lost")
}

func sweeps(s *snapshot, report report) {
	report(float64(s.Sweeps), "done")
	report(float64(s.SweepsFailed), "failed")
}

func failing(s *snapshot, report report) {
	down := 0.0
	if s.Failing {
		down = 1
	}
	report(down, "")
}

func queues[N number](of func(hosts.Queue) N) func(*snapshot, report) {
	return func(s *snapshot, report report) {
		if q := s.Queues; q != nil {
			report(float64(of(q.Loads)), "loads")
			report(float64(of(q.Saves)), "saves")
			report(float64(of(q.Deletes)), "deletes")
		}
	}
}

func feedAge(s *snapshot, report report) {
	switch f := s.Feed; {
	case f == nil:
	case f.Age < 0:
		report(-1, "")
	default:
		report(f.Age.Seconds(), "")
	}
}

func feedQuestions(s *snapshot, report report) {
	if f := s.Feed; f != nil {
		report(float64(f.Questions), "complete")
		report(float64(f.Gaps), "gap")
		report(float64(f.Failures-min(f.Gaps, f.Failures)), "failed") // a gap is a failure, too
	}
}

func feedChanges(s *snapshot, report report) {
	if s.Feed != nil {
		report(float64(s.Feed.Changes), "")
	}
}

func cache[N number](of func(*hosts.CacheStats) N) func(*snapshot, report) {
	return func(s *snapshot, report report) {
		if s.Cache != nil {
			report(float64(of(s.Cache)), "")
		}
	}
}

func doubts(s *snapshot, report report) {
	if s.Cache == nil {
		return
	}
	for why := range hosts.Doubts {
		report(float64(s.Cache.Doubts[why]), why.String())
	}
}

func memory[N number](of func(*hosts.MemoryStats) N) func(*snapshot, report) {
	return func(s *snapshot, report report) {
		if s.Memory != nil {
			report(float64(of(s.Memory)), "")
		}
	}
}

func outcomes(s *snapshot, report report) {
	for name, n := range s.outcomes {
		report(float64(n), name)
	}
}

func activeRequests(s *snapshot, report report) {
	if s.outcomes != nil {
		report(float64(s.active), "")
	}
}
