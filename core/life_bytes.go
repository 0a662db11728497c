package core

import "encoding/binary"

// The bytes of a Session, for hosts that hand it to a guest and back. They are
// little-endian; lp2 and lp4 are a length in 2 or 4 bytes and then the bytes:
//
//	format 1 | state 1 | flags 2 | due 8
//	ID 16 | version 8 | created 8 | seen 8 | expires 8 | lp2(tenant) | lp2(user)      the record
//	lp4(payload)                                                                     as sealed in it; none if new
//	n 4 | n times lp2(name) lp4(value)                                               the values now, if flag owned
//	n 4 | n times lp2(name) act 1 flags 1 delta 8                                    the marks, if flag marked
//	stamp 32 | flags 1 | at 8 | lp2(methods)                                         what is noted of the user, if flag proving
//	ID 16 | secret 32 | chain 4 | step 4 | epoch 4 | flags 1                         the ticket
//	lp2(tenant) | lp2(IP) | lp2(user agent) | flags 1                                the request
//	replaces 16 | lp2(user) | lifetime 8
//
// They hold the secret of the visitor's cookie and the session in clear: they
// are for the memory of one process, never for a store, a log or a network.
const sessionBytesFormat = 2

// Flags of a Session, its ticket and its request, as bits.
const (
	flagOwned = 1 << iota
	flagBehind
	flagOld
	flagLogin
	flagRenew
	flagRefresh
	flagRelimit
	flagKeep
	flagQuiet
	flagRemember
	flagMarked
	flagOutdated
	flagProving
	sessionFlags
)
const (
	flagRead = 1 << iota
	flagStale
	flagAgain
	markFlags
)
const (
	flagAdopt = 1 << iota
	flagConfirmed
	proofFlags
)
const (
	flagTicketOld = 1 << iota
	flagTicketTrusted
	ticketFlags
)
const (
	flagAnyTenant = 1 << iota
	flagNoCookie
	flagHTTPS
	flagSuperseded
	flagCrossSite // the two bits from here on
	flagSignIn    = flagCrossSite << 2
	requestFlags  = flagSignIn << 1
)

// TicketLen is the length of a Ticket in bytes.
const TicketLen = 16 + 32 + 4 + 4 + 4 + 1

func bit(on bool, flag uint16) uint16 {
	if on {
		return flag
	}
	return 0
}

// AppendBytes appends the session for Machine.ReadSession of a machine with
// the same policy. What it appends is secret.
func (s *Session) AppendBytes(dst []byte) []byte {
	le := binary.LittleEndian
	dst = append(dst, sessionBytesFormat, byte(s.state))
	dst = le.AppendUint16(dst, bit(s.owned, flagOwned)|bit(s.behind, flagBehind)|bit(s.old, flagOld)|bit(s.login, flagLogin)|
		bit(s.renew, flagRenew)|bit(s.refresh, flagRefresh)|bit(s.relimit, flagRelimit)|bit(s.keep, flagKeep)|
		bit(s.quiet, flagQuiet)|bit(s.remember, flagRemember)|bit(len(s.marks) > 0, flagMarked)|
		bit(s.outdated, flagOutdated)|bit(s.proof != nil, flagProving))
	dst = le.AppendUint64(dst, uint64(s.due())) // for a host without the core: from then on there is something to commit
	dst = append(dst, s.rec.ID[:]...)
	for _, n := range [...]uint64{uint64(s.rec.Version), uint64(s.rec.CreatedAt), uint64(s.rec.SeenAt), uint64(s.rec.ExpiresAt)} {
		dst = le.AppendUint64(dst, n)
	}
	dst = appendShort(appendShort(dst, clip(s.rec.Tenant, MaxName+1)), s.rec.User) // a longer tenant is refused at the commit
	at := len(dst)
	dst = le.AppendUint32(dst, 0)
	if s.rec.Version != NoVersion {
		dst = appendPayload(dst, &s.in)
	}
	le.PutUint32(dst[at:], uint32(len(dst)-at-4))
	if s.owned {
		dst = appendItems(dst, s.cur.list)
	}
	if len(s.marks) > 0 {
		dst = appendMarks(dst, s.marks)
	}
	if s.proof != nil {
		dst = s.proof.appendBytes(dst)
	}
	dst = s.ticket.AppendBytes(dst)
	dst = s.req.AppendBytes(dst)
	dst = append(dst, s.replaces[:]...)
	dst = appendShort(dst, s.user)
	return le.AppendUint64(dst, uint64(s.lifetime))
}

func appendShort(dst []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint16(dst, uint16(len(s))), s...)
}

func appendItems(dst []byte, list []item) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, uint32(len(list)))
	for i := range list {
		dst = append(le.AppendUint16(dst, uint16(len(list[i].name))), list[i].name...)
		dst = append(le.AppendUint32(dst, uint32(len(list[i].value))), list[i].value...)
	}
	return dst
}

func appendMarks(dst []byte, marks []mark) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, uint32(len(marks)))
	for i := range marks {
		m := &marks[i]
		dst = append(appendShort(dst, m.name), byte(m.did), byte(bit(m.read, flagRead)|bit(m.stale, flagStale)|bit(m.again, flagAgain)))
		dst = le.AppendUint64(dst, uint64(m.delta))
	}
	return dst
}

func (p *proving) appendBytes(dst []byte) []byte {
	dst = append(append(dst, p.stamp[:]...), byte(bit(p.adopt, flagAdopt)|bit(p.confirmed, flagConfirmed)))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(p.at))
	return appendShort(dst, string(p.methods))
}

// AppendBytes appends the TicketLen bytes of a ticket, which are secret.
func (t *Ticket) AppendBytes(dst []byte) []byte {
	le := binary.LittleEndian
	dst = append(append(dst, t.ID[:]...), shown(t.secret)[:]...)
	dst = le.AppendUint32(le.AppendUint32(le.AppendUint32(dst, t.gen.chain), t.gen.step), t.epoch)
	return append(dst, byte(bit(t.old, flagTicketOld)|bit(t.trusted, flagTicketTrusted)))
}

// AppendBytes appends a request. Addresses and user agents longer than the
// core keeps are cut.
func (q *Request) AppendBytes(dst []byte) []byte {
	dst = appendShort(dst, clip(q.Tenant, MaxName+1)) // one more than may match any session
	dst = appendShort(appendShort(dst, clip(q.IP, MaxAddress)), clip(q.UserAgent, MaxUserAgent))
	return append(dst, byte(bit(q.AnyTenant, flagAnyTenant)|bit(q.NoCookie, flagNoCookie)|bit(q.HTTPS, flagHTTPS)|
		bit(q.Superseded, flagSuperseded)|bit(q.SignIn, flagSignIn)|uint16(q.CrossSite%crossSites)*flagCrossSite))
}
