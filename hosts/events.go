package hosts

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/rockstar-web/sessions/core"
)

// maxEvents is how many events wait for the hook and the logger. Beyond it
// they are dropped and counted: events never hold a request up.
const maxEvents = 4096

// EventKind says what happened to a session.
type EventKind string

// The kinds of events.
const (
	EventCreated   EventKind = "session created"
	EventResumed   EventKind = "session resumed"
	EventLogin     EventKind = "session login"
	EventRenewed   EventKind = "session renewed"
	EventRefreshed EventKind = "session refreshed"
	EventRefused   EventKind = "session refused" // with a Reason and Err
	EventEnded     EventKind = "session ended"
	EventSwept     EventKind = "sessions swept" // with a Count, and Err if it failed

	// EventNewDevice: a user has logged in with a kind of device that none of their
	// other live sessions has, of which there are Count. With a Count of 0 nothing is known
	// of their devices. See Config.DeviceOf.
	EventNewDevice EventKind = "session on a new device"

	// EventConflict: values were not stored, because other requests had changed the
	// values that they were computed from; with Names and Err. The request was
	// refused, or signed in without them.
	EventConflict EventKind = "session conflict"

	// EventFailed: the store did not do what it was asked. It comes with the
	// first failure and then once a minute while there are more, with their
	// Count and the last Err.
	EventFailed EventKind = "session store failed"

	// EventFeedLost: the store's feed of changes does not answer, with Err. Until
	// EventFeedBack every read asks the store, and Session.Ended reports nothing.
	EventFeedLost EventKind = "session feed lost"
	EventFeedBack EventKind = "session feed back"
)

// Event is one step of a session's life. It never holds a secret or data.
type Event struct {
	Kind      EventKind
	Reason    core.Reason // of EventRefused, or why EventEnded
	ID        core.ID
	Tenant    string
	User      string
	IP        string
	UserAgent string
	At        core.Time
	Count     int
	Names     []string // of values, of EventConflict
	Err       error    // why EventSwept or EventFailed, or the whole refusal of EventRefused and EventConflict
	Dropped   uint64   // events lost since the one before, because the hook was slow
}

// events hands events out from one goroutine.
type events struct {
	logger  *slog.Logger
	told    bool // the user asked for events in the log
	hook    func(Event)
	queue   chan Event
	dropped atomic.Uint64 // since the last event
	lost    atomic.Uint64 // of all
	mu      sync.RWMutex  // guards closed against a send
	closed  bool
	done    chan struct{}
}

func newEvents(logger *slog.Logger, hook func(Event)) *events {
	e := &events{logger: logger, told: logger != nil, hook: hook, done: make(chan struct{})}
	if logger == nil {
		e.logger = slog.Default()
	}
	if hook == nil && !e.told {
		close(e.done)
		return e
	}
	e.queue = make(chan Event, maxEvents)
	go e.run()
	return e
}

// wanted reports whether anybody listens to a kind, before it costs anything.
func (e *events) wanted(k EventKind) bool {
	return e.queue != nil && (e.hook != nil || k != EventFailed && e.logger.Enabled(context.Background(), levelOf(k)))
}

func (e *events) emit(ev Event) {
	if !e.wanted(ev.Kind) {
		return
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return
	}
	select {
	case e.queue <- ev:
	default:
		e.dropped.Add(1)
		e.lost.Add(1)
	}
}

func (e *events) run() {
	defer close(e.done)
	for ev := range e.queue {
		ev.Dropped = e.dropped.Swap(0)
		if e.told && ev.Kind != EventFailed { // which is logged without a Logger, too
			e.log(ev)
		}
		if e.hook != nil {
			e.callHook(ev)
		}
	}
}

// callHook survives the hook's panic: it would end the process, sessions of
// others and all.
func (e *events) callHook(ev Event) {
	defer func() {
		if r := recover(); r != nil {
			e.logger.Error("sessions: OnEvent panics; the event is lost to it", "event", string(ev.Kind), "panic", r)
		}
	}()
	e.hook(ev)
}

func (e *events) close() {
	e.mu.Lock()
	if e.queue != nil && !e.closed {
		close(e.queue)
	}
	e.closed = true
	e.mu.Unlock()
	<-e.done
}

// warn logs what an operator should mend.
func (e *events) warn(text string, args ...any) { e.logger.Warn("sessions: "+text, args...) }

func levelOf(k EventKind) slog.Level {
	if k == EventResumed || k == EventSwept {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

func (e *events) log(ev Event) {
	level := levelOf(ev.Kind)
	var attrs []slog.Attr
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	if !ev.ID.IsZero() {
		add("session", ev.ID.String())
	}
	add("user", ev.User)
	add("tenant", ev.Tenant)
	add("ip", ev.IP)
	if ev.Reason != core.ReasonNone {
		add("reason", ev.Reason.String())
	}
	switch {
	case ev.Reason == core.ReasonTheft:
		level = slog.LevelWarn
	case ev.Kind == EventConflict:
		attrs = append(attrs, slog.Any("names", ev.Names))
	case ev.Kind == EventSwept:
		attrs = append(attrs, slog.Int("count", ev.Count))
	}
	if ev.Err != nil {
		if ev.Kind != EventRefused && ev.Kind != EventConflict {
			level = slog.LevelError
		}
		attrs = append(attrs, slog.Any("error", ev.Err))
	}
	if ev.Dropped > 0 {
		attrs = append(attrs, slog.Uint64("dropped", ev.Dropped))
	}
	e.logger.LogAttrs(context.Background(), level, string(ev.Kind), attrs...)
}

// Bypassed reports requests whose answers were written past the session's, by a
// mistake of the program, which err names with its remedy. lost: they would have
// changed their sessions; else those were only read, and the answers lack Vary.
func (m *Manager) Bypassed(err error, lost bool, requests int) {
	text := "sessions: a session was read for an answer without Vary: Cookie"
	if lost {
		text = "sessions: changes of a session are not stored"
	}
	m.events.logger.Error(text, "error", err, "requests", requests)
}
