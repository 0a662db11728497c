package wire

import "github.com/rockstar-web/sessions/core"

// changeProof makes the changes that are about who the user is.
func changeProof(s *core.Session, r *reader, op byte) error {
	switch op {
	case ChangeLoginWith:
		user, l := string(r.Short()), core.Login{Lifetime: r.time(), Stamp: core.NewSecret(r.Long()), Methods: r.strings()}
		if !r.Bad {
			return s.LoginWith(user, l)
		}
	case ChangeRenewWith:
		if stamp := string(r.Long()); !r.Bad {
			return s.RenewWith(stamp)
		}
	case ChangeConfirm:
		if methods := r.strings(); !r.Bad {
			return s.Confirm(methods...)
		}
	case ChangeAdopt:
		if stamp := string(r.Long()); !r.Bad {
			return s.Adopt(stamp)
		}
	case ChangeOutdate:
		s.Outdate()
	default:
		r.Bad = true
	}
	return nil
}

// checkStamp: session, lp4 stamp -> flag: the session has a stamp, flag: it is this.
func checkStamp(dst []byte, r *reader, m *core.Machine) []byte {
	s, stamp := r.session(m), string(r.Long())
	if !r.end() {
		return append(dst, StatusMalformed)
	}
	return appendFlag(appendFlag(append(dst, StatusOK), s.Stamped()), s.HasStamp(stamp))
}

// AppendLoginWith appends the sign-in of a user.
func AppendLoginWith(dst []byte, user string, l core.Login) []byte {
	dst = appendTime(appendShort(append(dst, ChangeLoginWith), user), l.Lifetime)
	return appendStrings(appendLong(dst, l.Stamp.Bytes()), l.Methods)
}

// AppendRenewWith appends a new secret under the stamp of new credentials.
func AppendRenewWith(dst []byte, stamp string) []byte {
	return appendLong(append(dst, ChangeRenewWith), stamp)
}

// AppendConfirm appends that the user has proved once more who they are.
func AppendConfirm(dst []byte, methods []string) []byte {
	return appendStrings(append(dst, ChangeConfirm), methods)
}

// AppendAdopt appends the stamp for a session that has none.
func AppendAdopt(dst []byte, stamp string) []byte {
	return appendLong(append(dst, ChangeAdopt), stamp)
}

// AppendCheckStamp is for core.Session.Stamped and HasStamp.
func AppendCheckStamp(dst []byte, machine uint32, s *core.Session, stamp string) []byte {
	return appendLong(s.AppendBytes(appendOp(dst, OpCheckStamp, machine)), stamp)
}
