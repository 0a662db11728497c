package otel

import (
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// A figure is read when metrics are collected. It is one of package hosts/metrics; a test
// compares the two.
type figure struct {
	kind              kind
	name, unit, about string
	attribute         string // behind "sessions."; "": it has none
	read              func(s *snapshot, report report)
}

// report is called for each value of the figure's attribute.
type report func(value float64, of string)

// kind is an instrument's.
type kind int

const (
	counter kind = iota // of whole numbers, as upDown
	upDown
	gauge
)

// snapshot is what all figures are read from.
type snapshot struct {
	hosts.Stats
	outcomes map[string]int64 // nil: there is no gateway
	active   int64
}

var figures = []figure{
	{counter, "sessions.begun", "{session}", "Sessions that were stored for the first time.", "", one(func(s *snapshot) uint64 { return s.Begun })},
	{counter, "sessions.traces", "{record}", "Short records in the place of sessions that another user's login or changed credentials have ended.", "", one(func(s *snapshot) uint64 { return s.Traces })},
	{counter, "sessions.logins", "{login}", "Logins that were stored.", "", one(func(s *snapshot) uint64 { return s.Logins })},
	{counter, "sessions.renewed", "{session}", "Secrets of stored sessions that were made anew, by a login too.", "", one(func(s *snapshot) uint64 { return s.Renewed })},
	{counter, "sessions.refreshed", "{session}", "Sessions whose lifetime began anew.", "", one(func(s *snapshot) uint64 { return s.Refreshed })},
	{counter, "sessions.ended", "{session}", "Sessions that were deleted, by why; ended is a logout, by revocation too.", "reason", reasons(func(s *snapshot) map[core.Reason]uint64 { return s.Ended })},
	{counter, "sessions.resumed", "{request}", "Sessions that requests have found by their cookie.", "", one(func(s *snapshot) uint64 { return s.Resumed })},
	{counter, "sessions.refused", "{cookie}", "Cookies that opened nothing, by why; none counts requests without one.", "reason", reasons(func(s *snapshot) map[core.Reason]uint64 { return s.Refused })},

	{counter, "sessions.commits", "{commit}", "Commits that stored something, notes of a use aside.", "", one(func(s *snapshot) uint64 { return s.Commits })},
	{counter, "sessions.touches", "{touch}", "Notes of a use, by whether they were stored.", "result", touches},
	{counter, "sessions.conflicts", "{commit}", "Commits that were refused, since others had changed what they had read.", "", one(func(s *snapshot) uint64 { return s.Conflicts })},
	{counter, "sessions.dropped_values", "{value}", "Values that a login left out, since others had changed what they were made of.", "", one(func(s *snapshot) uint64 { return s.Dropped })},
	{counter, "sessions.retries", "{save}", "Saves that were made anew, since others were first.", "", one(func(s *snapshot) uint64 { return s.Retries })},
	{counter, "sessions.folded", "{commit}", "Commits that the save of another has carried.", "", one(func(s *snapshot) uint64 { return s.Folded })},
	{upDown, "sessions.line.count", "{session}", "Sessions whose commits wait in line.", "", one(func(s *snapshot) int { return s.Lines })},

	{counter, "sessions.store.resends", "{call}", "Calls of the store that were asked again, since the first answer was lost.", "", one(func(s *snapshot) uint64 { return s.Resends })},
	{counter, "sessions.store.unknown", "{call}", "Saves and deletes of which it is not known whether they were applied.", "", one(func(s *snapshot) uint64 { return s.Unknown })},
	{counter, "sessions.store.failures", "{call}", "Calls of the store that failed.", "", one(func(s *snapshot) uint64 { return s.Failures })},
	{gauge, "sessions.store.failing", "", "1 if a call of the store failed within the last minute.", "", failing},

	{counter, "sessions.swept", "{record}", "Records that were removed after their time.", "", one(func(s *snapshot) uint64 { return s.Swept })},
	{counter, "sessions.sweeps", "{sweep}", "Sweeps, by their result.", "result", sweeps},
	{gauge, "sessions.last_sweep.timestamp", "s", "When the last sweep came to its end, in Unix time; 0 if none did.", "", one(func(s *snapshot) float64 { return float64(s.SweptAt) / 1000 })},

	{counter, "sessions.events.lost", "{event}", "Events that were lost, since OnEvent or the logger was slow.", "", one(func(s *snapshot) uint64 { return s.EventsLost })},

	{upDown, "sessions.queue.waiting", "{call}", "Calls that wait before the store.", "queue", queues(func(q hosts.Queue) int { return q.Waiting })},
	{upDown, "sessions.queue.size", "By", "Sealed bytes of the calls that wait.", "queue", queues(func(q hosts.Queue) int { return q.Bytes })},
	{upDown, "sessions.queue.under_way", "{call}", "Calls that the store is asked now.", "queue", queues(func(q hosts.Queue) int { return q.UnderWay })},
	{counter, "sessions.queue.calls", "{call}", "Calls that were answered.", "queue", queues(func(q hosts.Queue) uint64 { return q.Calls })},
	{counter, "sessions.queue.commands", "{command}", "Commands of the store by which they were.", "queue", queues(func(q hosts.Queue) uint64 { return q.Commands })},
	{counter, "sessions.queue.refused", "{call}", "Calls for which there was no room.", "queue", queues(func(q hosts.Queue) uint64 { return q.Refused })},

	{gauge, "sessions.feed.age", "s", "Since the feed of changes was known to be complete; -1 if it is not.", "", feedAge},
	{counter, "sessions.feed.questions", "{question}", "Questions to the feed, by their result.", "result", feedQuestions},
	{counter, "sessions.feed.changes", "{change}", "Changes that the feed has reported.", "", feedChanges},

	{counter, "sessions.cache.hits", "{read}", "Reads that were answered from memory.", "", cache(func(c *hosts.CacheStats) uint64 { return c.Hits })},
	{counter, "sessions.cache.doubts", "{read}", "Reads that asked the store all the same, by why.", "why", doubts},
	{upDown, "sessions.cache.session.count", "{session}", "Sessions in the cache.", "", cache(func(c *hosts.CacheStats) int { return c.Sessions })},
	{upDown, "sessions.cache.usage", "By", "Bytes of the cache.", "", cache(func(c *hosts.CacheStats) int64 { return c.Bytes })},
	{upDown, "sessions.cache.limit", "By", "The bound of sessions.cache.usage.", "", cache(func(c *hosts.CacheStats) int64 { return c.MaxBytes })},
	{counter, "sessions.cache.evicted", "{session}", "Sessions that made room for others in the cache.", "", cache(func(c *hosts.CacheStats) uint64 { return c.Evicted })},

	{upDown, "sessions.memory.session.count", "{session}", "Sessions in the memory store, expired ones included.", "", memory(func(m *hosts.MemoryStats) int { return m.Sessions })},
	{upDown, "sessions.memory.usage", "By", "Bytes of the memory store.", "", memory(func(m *hosts.MemoryStats) int64 { return m.Bytes })},
	{upDown, "sessions.memory.limit", "By", "The bound of sessions.memory.usage.", "", memory(func(m *hosts.MemoryStats) int64 { return m.MaxBytes })},

	{counter, "sessions.gateway.requests", "{request}", "Requests by what became of them. An origin's or client's failure counts beside who was let in.", "outcome", outcomes},
	{upDown, "sessions.gateway.active_requests", "{request}", "Requests under way.", "", activeRequests},
}
