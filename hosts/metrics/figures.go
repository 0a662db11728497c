package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// A figure is read when Prometheus asks.
type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func counter(name, help string, labels ...string) figure {
	return figure{prometheus.NewDesc("sessions_"+name+"_total", help, labels, nil), prometheus.CounterValue}
}

func gauge(name, help string, labels ...string) figure {
	return figure{prometheus.NewDesc("sessions_"+name, help, labels, nil), prometheus.GaugeValue}
}

var (
	begun     = counter("begun", "Sessions that were stored for the first time.")
	traces    = counter("traces", "Short records in the place of sessions that another user's login or changed credentials have ended.")
	logins    = counter("logins", "Logins that were stored.")
	renewed   = counter("renewed", "Secrets of stored sessions that were made anew, by a login too.")
	refreshed = counter("refreshed", "Sessions whose lifetime began anew.")
	ended     = counter("ended", "Sessions that were deleted, by why; ended is a logout, by revocation too.", "reason")
	resumed   = counter("resumed", "Sessions that requests have found by their cookie.")
	refusals  = counter("refused", "Cookies that opened nothing, by why; none counts requests without one.", "reason")

	commits   = counter("commits", "Commits that stored something, notes of a use aside.")
	touches   = counter("touches", "Notes of a use, by whether they were stored.", "result")
	conflicts = counter("conflicts", "Commits that were refused, since others had changed what they had read.")
	dropped   = counter("dropped_values", "Values that a login left out, since others had changed what they were made of.")
	retries   = counter("retries", "Saves that were made anew, since others were first.")
	folded    = counter("folded", "Commits that the save of another has carried.")
	lines     = gauge("lines", "Sessions whose commits wait in line.")

	resends  = counter("store_resends", "Calls of the store that were asked again, since the first answer was lost.")
	unknowns = counter("store_unknown", "Saves and deletes of which it is not known whether they were applied.")
	failed   = counter("store_failures", "Calls of the store that failed.")
	failing  = gauge("store_failing", "1 if a call of the store failed within the last minute.")

	swept   = counter("swept", "Records that were removed after their time.")
	sweeps  = counter("sweeps", "Sweeps, by their result.", "result")
	sweptAt = gauge("last_sweep_timestamp_seconds", "When the last sweep came to its end; 0 if none did.")

	eventsLost = counter("events_lost", "Events that were lost, since OnEvent or the logger was slow.")

	waiting  = gauge("queue_waiting", "Calls that wait before the store.", "queue")
	held     = gauge("queue_bytes", "Sealed bytes of the calls that wait.", "queue")
	underWay = gauge("queue_under_way", "Calls that the store is asked now.", "queue")
	gathered = counter("queue_calls", "Calls that were answered.", "queue")
	commands = counter("queue_commands", "Commands of the store by which they were.", "queue")
	noRoom   = counter("queue_refused", "Calls for which there was no room.", "queue")

	feedAge       = gauge("feed_age_seconds", "Since the feed of changes was known to be complete; -1 if it is not.")
	feedQuestions = counter("feed_questions", "Questions to the feed, by their result.", "result")
	feedChanges   = counter("feed_changes", "Changes that the feed has reported.")

	cacheHits     = counter("cache_hits", "Reads that were answered from memory.")
	cacheDoubts   = counter("cache_doubts", "Reads that asked the store all the same, by why.", "why")
	cacheSessions = gauge("cache_sessions", "Sessions in the cache.")
	cacheBytes    = gauge("cache_bytes", "Bytes of the cache.")
	cacheLimit    = gauge("cache_limit_bytes", "The bound of sessions_cache_bytes.")
	cacheEvicted  = counter("cache_evicted", "Sessions that made room for others in the cache.")

	memorySessions = gauge("memory_sessions", "Sessions in the memory store, expired ones included.")
	memoryBytes    = gauge("memory_bytes", "Bytes of the memory store.")
	memoryLimit    = gauge("memory_limit_bytes", "The bound of sessions_memory_bytes.")

	gatewayRequests = counter("gateway_requests", "Requests by what became of them. An origin's or client's failure counts beside who was let in.", "outcome")
	gatewayNow      = gauge("gateway_requests_in_flight", "Requests under way.")
)

// sink sends figures to a scrape.
type sink chan<- prometheus.Metric

func (s sink) put(f figure, value float64, labels ...string) {
	s <- prometheus.MustNewConstMetric(f.desc, f.kind, value, labels...)
}

func (s sink) count(f figure, n uint64, labels ...string) { s.put(f, float64(n), labels...) }

func (s sink) reasons(f figure, by map[core.Reason]uint64) {
	for reason, n := range by {
		s.count(f, n, reason.String())
	}
}

func (s sink) sessions(st *hosts.Stats) {
	for f, n := range map[figure]uint64{
		begun: st.Begun, traces: st.Traces, logins: st.Logins, renewed: st.Renewed, refreshed: st.Refreshed, resumed: st.Resumed,
		commits: st.Commits, conflicts: st.Conflicts, dropped: st.Dropped, retries: st.Retries, folded: st.Folded,
		resends: st.Resends, unknowns: st.Unknown, failed: st.Failures, swept: st.Swept, eventsLost: st.EventsLost,
	} {
		s.count(f, n)
	}
	s.reasons(ended, st.Ended)
	s.reasons(refusals, st.Refused)
	s.count(touches, st.Touches, "stored")
	s.count(touches, st.Untouched, "lost")
	s.count(sweeps, st.Sweeps, "done")
	s.count(sweeps, st.SweepsFailed, "failed")
	s.put(lines, float64(st.Lines))
	s.put(sweptAt, float64(st.SweptAt)/1000)
	down := 0.0
	if st.Failing {
		down = 1
	}
	s.put(failing, down)
}

func (s sink) queues(q *hosts.Queues) {
	for name, q := range map[string]hosts.Queue{"loads": q.Loads, "saves": q.Saves, "deletes": q.Deletes} {
		s.put(waiting, float64(q.Waiting), name)
		s.put(held, float64(q.Bytes), name)
		s.put(underWay, float64(q.UnderWay), name)
		s.count(gathered, q.Calls, name)
		s.count(commands, q.Commands, name)
		s.count(noRoom, q.Refused, name)
	}
}

func (s sink) feed(f *feed.Stats) {
	age := -1.0
	if f.Age >= 0 {
		age = f.Age.Seconds()
	}
	s.put(feedAge, age)
	s.count(feedQuestions, f.Questions, "complete")
	s.count(feedQuestions, f.Gaps, "gap")
	s.count(feedQuestions, f.Failures-min(f.Gaps, f.Failures), "failed") // a gap is a failure, too
	s.count(feedChanges, f.Changes)
}

func (s sink) cache(c *hosts.CacheStats) {
	s.count(cacheHits, c.Hits)
	for why := range hosts.Doubts {
		s.count(cacheDoubts, c.Doubts[why], why.String())
	}
	s.put(cacheSessions, float64(c.Sessions))
	s.put(cacheBytes, float64(c.Bytes))
	s.put(cacheLimit, float64(c.MaxBytes))
	s.count(cacheEvicted, c.Evicted)
}

func (s sink) memory(m *hosts.MemoryStats) {
	s.put(memorySessions, float64(m.Sessions))
	s.put(memoryBytes, float64(m.Bytes))
	s.put(memoryLimit, float64(m.MaxBytes))
}
