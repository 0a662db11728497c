package wire

import (
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/internal/unpack"
)

// Server is the guest's side: machines, by the number that configuring one
// returns, from 1 on. It is not safe for concurrent use.
type Server struct{ machines []*core.Machine }

// Handle answers one frame, appending the reply to dst. The frame may be
// overwritten as soon as it has returned.
func (s *Server) Handle(dst, frame []byte) []byte {
	r := &reader{unpack.Reader{Rest: frame}}
	op := r.Byte()
	if r.Bad || len(frame) > MaxFrame {
		return append(dst, StatusMalformed)
	}
	if op == OpConfigure {
		return s.configure(dst, r)
	}
	if op >= ops || verbs[op] == nil {
		return append(dst, StatusUnknownOp)
	}
	n := r.Uint32()
	if !r.Bad && (n == 0 || uint64(n) > uint64(len(s.machines))) {
		return append(dst, StatusUnknownMachine)
	}
	if r.Bad {
		return append(dst, StatusMalformed)
	}
	return verbs[op](dst, r, s.machines[n-1])
}

// configure: policy, keys -> number 4, strings(warnings), lp2 cookie name, idle
// timeout 8, retention 8: what a host wants to know of the policy in force.
func (s *Server) configure(dst []byte, r *reader) []byte {
	p, keys := r.policy(), r.keys()
	if !r.end() {
		return append(dst, StatusMalformed)
	}
	if len(s.machines) >= MaxMachines {
		return appendError(dst, errTooManyMachines)
	}
	m, err := core.NewMachine(p, keys)
	if err != nil {
		return appendError(dst, err)
	}
	s.machines = append(s.machines, m)
	dst = le.AppendUint32(append(dst, StatusOK), uint32(len(s.machines)))
	p = m.Policy()
	dst = appendShort(appendStrings(dst, m.Warnings()), p.CookieName)
	return appendTime(appendTime(dst, p.IdleTimeout), p.Retention)
}

// verbs read their arguments, and append a reply.
var verbs = [ops]func(dst []byte, r *reader, m *core.Machine) []byte{
	OpIdentify: identify, OpNew: newSession, OpResume: resume, OpApply: apply,
	OpCommit: commit, OpRebase: rebase, OpFold: fold, OpApplied: applied, OpCookie: cookie,
	OpClearCookie: clearCookie, OpInspect: inspect, OpKeepID: keepID, OpQuiet: quiet, OpCheckStamp: checkStamp,
}

// identify: now 8, lp2 tenant, strings(cookie fields) -> n 4, tickets.
func identify(dst []byte, r *reader, m *core.Machine) []byte {
	now, tenant, cookies := r.time(), string(r.Short()), r.strings()
	if !r.end() {
		return append(dst, StatusMalformed)
	}
	tickets, err := m.Identify(cookies, tenant, now)
	if err != nil {
		return appendError(dst, err)
	}
	dst = le.AppendUint32(append(dst, StatusOK), uint32(len(tickets)))
	for i := range tickets {
		dst = tickets[i].AppendBytes(dst)
	}
	return dst
}

// newSession: request -> session.
func newSession(dst []byte, r *reader, m *core.Machine) []byte {
	q := r.request()
	if !r.end() {
		return append(dst, StatusMalformed)
	}
	return m.New(q).AppendBytes(append(dst, StatusOK))
}

// resume: now 8, ticket, request, record -> session.
func resume(dst []byte, r *reader, m *core.Machine) []byte {
	now, t, q, rec := r.time(), r.ticket(), r.request(), r.record()
	if !r.end() {
		return append(dst, StatusMalformed)
	}
	s, err := m.Resume(t, rec, q, now)
	if err != nil {
		return appendError(dst, err)
	}
	return s.AppendBytes(append(dst, StatusOK))
}

// commit: now 8, seed 32, session -> effects.
func commit(dst []byte, r *reader, m *core.Machine) []byte {
	now, seed, s := r.time(), r.seed(), r.session(m)
	if !r.end() {
		return append(dst, StatusMalformed)
	}
	e, err := m.Commit(s, now, seed)
	if err != nil {
		return appendError(dst, err)
	}
	return appendEffects(append(dst, StatusOK), &e)
}

// rebase: now 8, session, flag 1 and record if it is 1 -> flag 1, session if it is 1.
func rebase(dst []byte, r *reader, m *core.Machine) []byte {
	now, s := r.time(), r.session(m)
	var theirs *core.Record
	if r.flag() {
		rec := r.record()
		theirs = &rec
	}
	if !r.end() {
		return append(dst, StatusMalformed)
	}
	next, err := m.Rebase(s, theirs, now)
	if err != nil {
		return appendError(dst, err)
	}
	dst = appendFlag(append(dst, StatusOK), next != nil)
	if next != nil {
		dst = next.AppendBytes(dst)
	}
	return dst
}

// fold: session to change, session whose changes it takes -> session.
func fold(dst []byte, r *reader, m *core.Machine) []byte {
	t, s := r.session(m), r.session(m)
	if !r.end() {
		return append(dst, StatusMalformed)
	}
	if err := m.Fold(t, s); err != nil {
		return appendError(dst, err)
	}
	return t.AppendBytes(append(dst, StatusOK))
}

// applied: now 8, version 8, prev 8, record -> applied 1, known 1.
func applied(dst []byte, r *reader, m *core.Machine) []byte {
	now, version, prev, rec := r.time(), core.Version(r.Uint64()), core.Version(r.Uint64()), r.record()
	if !r.end() {
		return append(dst, StatusMalformed)
	}
	was, known, err := m.Applied(&rec, version, prev, now)
	if err != nil {
		return appendError(dst, err)
	}
	return appendFlag(appendFlag(append(dst, StatusOK), was), known)
}

// cookie: now 8, seed 32, session -> strings(Set-Cookie values).
func cookie(dst []byte, r *reader, m *core.Machine) []byte {
	now, seed, s := r.time(), r.seed(), r.session(m)
	if !r.end() {
		return append(dst, StatusMalformed)
	}
	fields, err := m.Cookie(s, now, seed)
	if err != nil {
		return appendError(dst, err)
	}
	return appendStrings(append(dst, StatusOK), fields)
}

// clearCookie: flag https 1 -> strings(Set-Cookie values).
func clearCookie(dst []byte, r *reader, m *core.Machine) []byte {
	https := r.flag()
	if !r.end() {
		return append(dst, StatusMalformed)
	}
	return appendStrings(append(dst, StatusOK), m.ClearCookie(https))
}

// quiet: session -> session: the stored one, of whose commit nothing but values is stored.
func quiet(dst []byte, r *reader, m *core.Machine) []byte {
	s := r.session(m)
	if !r.end() {
		return append(dst, StatusMalformed)
	}
	s.MakeQuiet()
	return s.AppendBytes(append(dst, StatusOK))
}

// inspect: now 8, lp2 tenant, lp4 value -> format 1, lp2 key ID, epoch 8, ID 16,
// chain 4, step 4.
func inspect(dst []byte, r *reader, m *core.Machine) []byte {
	now, tenant, value := r.time(), string(r.Short()), string(r.Long())
	if !r.end() {
		return append(dst, StatusMalformed)
	}
	in, err := m.Inspect(value, tenant, now)
	if err != nil {
		return appendError(dst, err)
	}
	dst = appendShort(append(dst, StatusOK, byte(in.Format)), in.KeyID)
	dst = append(appendTime(dst, in.Epoch), in.ID[:]...)
	return le.AppendUint32(le.AppendUint32(dst, in.Chain), in.Step)
}

// keepID: seed 32, session -> session: one that is stored even when empty.
func keepID(dst []byte, r *reader, m *core.Machine) []byte {
	seed, s := r.seed(), r.session(m)
	if !r.end() {
		return append(dst, StatusMalformed)
	}
	if err := s.Keep(seed); err != nil {
		return appendError(dst, err)
	}
	return s.AppendBytes(append(dst, StatusOK))
}
