package wire

import "github.com/rockstar-web/sessions/core"

// The changes of OpApply.
const (
	ChangeSet         byte = iota + 1 // lp2 name, lp4 value in CBOR
	ChangeDelete                      // lp2 name
	ChangeClear                       //
	ChangeLogin                       // lp2 user, lifetime 8
	ChangeRenew                       //
	ChangeRefresh                     //
	ChangeSetLifetime                 // lifetime 8
	ChangeEnd                         //
	ChangeRead                        // lp2 name: the program has read it
	ChangeAdd                         // lp2 name, n 8
	ChangeUpdate                      // lp2 name, lp4 value in CBOR, computed from the one before
	ChangeLoginWith                   // lp2 user, lifetime 8, lp4 stamp, strings(methods)
	ChangeRenewWith                   // lp4 stamp
	ChangeConfirm                     // strings(methods)
	ChangeAdopt                       // lp4 stamp
	ChangeOutdate                     //
)

// apply: session, then changes up to the end of the frame -> session. The first
// that is refused ends it, and nothing of them is in a session.
func apply(dst []byte, r *reader, m *core.Machine) []byte {
	s := r.session(m)
	for !r.Bad && len(r.Rest) > 0 {
		if err := change(s, r); err != nil && !r.Bad {
			return appendError(dst, err)
		}
	}
	if !r.end() {
		return append(dst, StatusMalformed)
	}
	return s.AppendBytes(append(dst, StatusOK))
}

func change(s *core.Session, r *reader) error {
	op := r.Byte()
	switch op {
	case ChangeSet:
		name, value := string(r.Short()), r.Long()
		if r.Bad {
			return nil
		}
		return s.SetValue(name, value)
	case ChangeDelete:
		if name := string(r.Short()); !r.Bad {
			return s.DeleteValue(name)
		}
	case ChangeClear:
		return s.ClearValues()
	case ChangeLogin:
		user, lifetime := string(r.Short()), r.time()
		if r.Bad {
			return nil
		}
		return s.Login(user, lifetime)
	case ChangeRenew:
		return s.Renew()
	case ChangeRefresh:
		return s.Refresh()
	case ChangeSetLifetime:
		if lifetime := r.time(); !r.Bad {
			return s.SetLifetime(lifetime)
		}
	case ChangeEnd:
		s.End()
	case ChangeRead:
		if name := string(r.Short()); !r.Bad {
			s.Read(name)
		}
	case ChangeAdd:
		name, n := string(r.Short()), int64(r.Uint64())
		if r.Bad {
			return nil
		}
		_, err := s.AddValue(name, n)
		return err
	case ChangeUpdate:
		name, value := string(r.Short()), r.Long()
		if r.Bad {
			return nil
		}
		return s.UpdateValue(name, value)
	default:
		return changeProof(s, r, op)
	}
	return nil
}

// appendEffects appends
//
//	delete 16 | flag trace 1, record | flag save 1, record, prev 8 | touch 1 | strings(cookies) | strings(dropped) |
//	did 1 | size 4 | warn 1 | session
//
// where records and prev stand only if their flag is 1.
func appendEffects(dst []byte, e *core.Effects) []byte {
	dst = append(dst, e.Delete[:]...)
	dst = appendFlag(dst, e.Trace != nil)
	if e.Trace != nil {
		dst = appendRecord(dst, e.Trace)
	}
	dst = appendFlag(dst, e.Save != nil)
	if e.Save != nil {
		dst = le.AppendUint64(appendRecord(dst, e.Save), uint64(e.Prev))
	}
	dst = appendStrings(appendStrings(appendFlag(dst, e.Touch), e.Cookies), e.Dropped)
	dst = appendFlag(le.AppendUint32(append(dst, byte(e.Did)), uint32(e.Size)), e.Warn)
	return e.Next.AppendBytes(dst)
}

func (r *reader) effects(m *core.Machine) core.Effects {
	e := core.Effects{Delete: r.id()}
	if r.flag() {
		rec := r.record()
		e.Trace = &rec
	}
	if r.flag() {
		rec := r.record()
		e.Save, e.Prev = &rec, core.Version(r.Uint64())
	}
	e.Touch = r.flag()
	for _, list := range [...]*[]string{&e.Cookies, &e.Dropped} {
		if texts := r.strings(); len(texts) > 0 {
			*list = texts
		}
	}
	e.Did, e.Size, e.Warn = core.Deed(r.Byte()), int(r.Uint32()), r.flag()
	e.Next = r.session(m)
	return e
}
