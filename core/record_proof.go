package core

import (
	"encoding/binary"
	"slices"

	"github.com/rockstar-web/sessions/internal/digest"
)

// The proof of a user in a payload is
//
//	login 8 | proven 8 | stamp 32 | methods
//
// big-endian. It counts only while login is the payload's loginAt: a release that
// does not know it may have signed somebody in since. A stamp of zeros is none. The
// methods are in order, with a space between two.
const proofLen = 8 + 8 + 32

var noStamp [32]byte

func appendProof(login, proven Time, stamp *[32]byte, methods []byte) []byte {
	be := binary.BigEndian
	b := be.AppendUint64(be.AppendUint64(make([]byte, 0, proofLen+len(methods)), uint64(login)), uint64(proven))
	return append(append(b, stamp[:]...), methods...)
}

// validProof refuses what appendProof cannot have made.
func validProof(b []byte) bool { return len(b) >= proofLen && validMethods(b[proofLen:]) }

// proven takes the proof of a payload apart.
func (p *payload) proven() (at Time, stamp *[32]byte, methods []byte) {
	if b := p.proof; len(b) >= proofLen && Time(binary.BigEndian.Uint64(b)) == p.loginAt {
		return Time(binary.BigEndian.Uint64(b[8:])), (*[32]byte)(b[16:]), b[proofLen:]
	}
	return p.loginAt, &noStamp, nil
}

// validMethods holds names to their order and their characters.
func validMethods(text []byte) bool {
	var last []byte
	for n := 0; len(text) > 0; n++ {
		name := text
		if at := slices.Index(text, ' '); at >= 0 {
			name, text = text[:at], text[at+1:]
			if len(text) == 0 {
				return false
			}
		} else {
			text = nil
		}
		if n == MaxMethods || !validMethod(name) || string(last) >= string(name) {
			return false
		}
		last = name
	}
	return true
}

func validMethod(name []byte) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return len(name) >= 1 && len(name) <= MaxMethod
}

// CheckMethods returns ErrMethod for names that no session can keep.
func CheckMethods(names []string) error {
	text, err := joined(names)
	if err == nil && len(text) == 0 {
		return ErrMethod
	}
	return err
}

// joined is the names as a payload has them.
func joined(names []string) ([]byte, error) {
	var text []byte
	last := ""
	for n := 0; ; n++ {
		next := "" // the least behind the last
		for _, name := range names {
			switch {
			case !validMethod([]byte(name)):
				return nil, ErrMethod
			case name > last && (next == "" || name < next):
				next = name
			}
		}
		switch {
		case next == "":
			return text, nil
		case n == MaxMethods:
			return nil, ErrMethod
		case n > 0:
			text = append(text, ' ')
		}
		text = append(text, next...)
		last = next
	}
}

// stampOf is what is kept of a stamp: never the text, which may be a password's hash.
// The stamp of one user says nothing of another's.
func stampOf(tenant, user, stamp string) [32]byte {
	var room [512]byte
	text := append(room[:0], "session credentials 1"...)
	return digest.Sum256(append(appendField(appendField(text, tenant), user), stamp...))
}
