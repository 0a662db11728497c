package wire

import (
	"strings"

	"github.com/rockstar-web/sessions/core"
)

// AppendConfigure appends the frame that makes a machine. It holds the keys.
func AppendConfigure(dst []byte, p core.Policy, keys core.KeyRing) []byte {
	return appendKeys(appendPolicy(append(dst, OpConfigure), &p), keys)
}

func appendOp(dst []byte, op byte, machine uint32) []byte {
	return le.AppendUint32(append(dst, op), machine)
}

// AppendIdentify appends the frame of core.Machine.Identify, as the functions
// below append those of the verbs that they are named after.
func AppendIdentify(dst []byte, machine uint32, now core.Time, tenant string, cookies []string) []byte {
	if len(tenant) > core.MaxName+1 { // as long a one opens no cookie
		tenant = tenant[:core.MaxName+1]
	}
	if len(cookies) > maxList { // to the core one field says the same
		cookies = []string{strings.Join(cookies, ";")}
	}
	dst = appendTime(appendOp(dst, OpIdentify, machine), now)
	return appendStrings(appendShort(dst, tenant), cookies)
}

// AppendNew is for core.Machine.New.
func AppendNew(dst []byte, machine uint32, q core.Request) []byte {
	return q.AppendBytes(appendOp(dst, OpNew, machine))
}

// AppendResume is for core.Machine.Resume.
func AppendResume(dst []byte, machine uint32, now core.Time, t core.Ticket, q core.Request, r *core.Record) []byte {
	dst = appendTime(appendOp(dst, OpResume, machine), now)
	return appendRecord(q.AppendBytes(t.AppendBytes(dst)), r)
}

// AppendApply is for the changes of a session; append them with AppendSet and
// the like.
func AppendApply(dst []byte, machine uint32, s *core.Session) []byte {
	return s.AppendBytes(appendOp(dst, OpApply, machine))
}

// AppendSet appends the change of a value.
func AppendSet(dst []byte, name string, value []byte) []byte {
	return appendLong(appendShort(append(dst, ChangeSet), name), value)
}

// AppendDelete appends the removal of a value.
func AppendDelete(dst []byte, name string) []byte {
	return appendShort(append(dst, ChangeDelete), name)
}

// AppendRead appends that the program has read a value.
func AppendRead(dst []byte, name string) []byte {
	return appendShort(append(dst, ChangeRead), name)
}

// AppendAdd appends the addition to a counter.
func AppendAdd(dst []byte, name string, n int64) []byte {
	return le.AppendUint64(appendShort(append(dst, ChangeAdd), name), uint64(n))
}

// AppendUpdate appends a value that was computed from the one before.
func AppendUpdate(dst []byte, name string, value []byte) []byte {
	return appendLong(appendShort(append(dst, ChangeUpdate), name), value)
}

// AppendLogin appends the sign-in of a user.
func AppendLogin(dst []byte, user string, lifetime core.Time) []byte {
	return appendTime(appendShort(append(dst, ChangeLogin), user), lifetime)
}

// AppendLifetime appends a lifetime of the session's own.
func AppendLifetime(dst []byte, lifetime core.Time) []byte {
	return appendTime(append(dst, ChangeSetLifetime), lifetime)
}

// AppendCommit is for core.Machine.Commit.
func AppendCommit(dst []byte, machine uint32, now core.Time, seed core.Seed, s *core.Session) []byte {
	return s.AppendBytes(append(appendTime(appendOp(dst, OpCommit, machine), now), seed[:]...))
}

// AppendRebase is for core.Machine.Rebase; theirs may be nil.
func AppendRebase(dst []byte, machine uint32, now core.Time, s *core.Session, theirs *core.Record) []byte {
	dst = s.AppendBytes(appendTime(appendOp(dst, OpRebase, machine), now))
	dst = appendFlag(dst, theirs != nil)
	if theirs != nil {
		dst = appendRecord(dst, theirs)
	}
	return dst
}

// AppendFold is for core.Machine.Fold.
func AppendFold(dst []byte, machine uint32, t, s *core.Session) []byte {
	return s.AppendBytes(t.AppendBytes(appendOp(dst, OpFold, machine)))
}

// AppendApplied is for core.Machine.Applied.
func AppendApplied(dst []byte, machine uint32, now core.Time, version, prev core.Version, theirs *core.Record) []byte {
	dst = appendTime(appendOp(dst, OpApplied, machine), now)
	return appendRecord(le.AppendUint64(le.AppendUint64(dst, uint64(version)), uint64(prev)), theirs)
}

// AppendCookie is for core.Machine.Cookie.
func AppendCookie(dst []byte, machine uint32, now core.Time, seed core.Seed, s *core.Session) []byte {
	return s.AppendBytes(append(appendTime(appendOp(dst, OpCookie, machine), now), seed[:]...))
}

// AppendClearCookie is for core.Machine.ClearCookie.
func AppendClearCookie(dst []byte, machine uint32, https bool) []byte {
	return appendFlag(appendOp(dst, OpClearCookie, machine), https)
}

// AppendQuiet is for core.Session.Quiet.
func AppendQuiet(dst []byte, machine uint32, s *core.Session) []byte {
	return s.AppendBytes(appendOp(dst, OpQuiet, machine))
}

// AppendInspect is for core.Machine.Inspect.
func AppendInspect(dst []byte, machine uint32, now core.Time, tenant, value string) []byte {
	return appendLong(appendShort(appendTime(appendOp(dst, OpInspect, machine), now), tenant), value)
}

// AppendKeepID is for core.Session.Keep.
func AppendKeepID(dst []byte, machine uint32, seed core.Seed, s *core.Session) []byte {
	return s.AppendBytes(append(appendOp(dst, OpKeepID, machine), seed[:]...))
}
