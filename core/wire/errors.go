package wire

import (
	"errors"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/internal/unpack"
)

// codes are the errors that cross by number, in the order of their codes, with
// the names that documents and vectors use: new ones are appended. Code 0 is an
// error that is not listed.
var codes = []struct {
	name string
	err  error
}{
	{"other", nil},
	{"conflict", core.ErrConflict},
	{"bad_record", core.ErrBadRecord},
	{"bad_name", core.ErrBadName},
	{"too_large", core.ErrTooLarge},
	{"seed", core.ErrSeed},
	{"bad_user", core.ErrBadUser},
	{"value_name", core.ErrValueName},
	{"lifetime", core.ErrLifetime},
	{"bad_value", core.ErrBadValue},
	{"bad_id", core.ErrBadID},
	{"no_key", core.ErrNoKey},
	{"key_hex", core.ErrKeyHex},
	{"key_length", core.ErrKeyLength},
	{"weak_key", core.ErrWeakKey},
	{"key_hex_raw", core.ErrKeyHexRaw},
	{"same_key", core.ErrSameKey},
	{"no_sealing", core.ErrNoSealing},
	{"too_many_keys", core.ErrTooManyKeys},
	{"no_cipher", core.ErrNoCipher},
	{"key_times", core.ErrKeyTimes},
	{"nesting", core.ErrNesting},
	{"value_size", core.ErrValueSize},
	{"bytes", core.ErrBytes},
	{"time", core.ErrTime},
	{"too_many_machines", errTooManyMachines},
	{"counter", core.ErrCounter},
	{"again", core.ErrAgain},
	{"stamp", core.ErrStamp},
	{"method", core.ErrMethod},
	{"nobody", core.ErrNobody},
}

// CodeName is the name of the code behind StatusError: "conflict".
func CodeName(code byte) string {
	if int(code) < len(codes) {
		return codes[code].name
	}
	return "unlisted"
}

// ErrorOf returns the error that a reply is, as a Client returns it, or nil.
func ErrorOf(reply []byte) error {
	_, err := readStatus(reply)
	return err
}

var errTooManyMachines = errors.New("wire: the guest keeps 16 machines already; make a new instance")

// appendError appends the whole reply for an error.
func appendError(dst []byte, err error) []byte {
	if refused, ok := errors.AsType[*core.Refusal](err); ok {
		return appendShort(appendFlag(append(dst, StatusRefused, byte(refused.Reason)), refused.Recent), refused.Error())
	}
	if conflict, ok := errors.AsType[*core.ConflictError](err); ok {
		return appendShort(append(dst, StatusConflict), conflict.Name)
	}
	if size, ok := errors.AsType[*core.SizeError](err); ok {
		dst = appendShort(append(dst, StatusTooLarge), size.Name)
		return le.AppendUint32(le.AppendUint32(dst, uint32(size.Size)), uint32(size.Limit))
	}
	if policy, ok := errors.AsType[*core.PolicyError](err); ok {
		dst = appendShort(append(dst, StatusPolicy), policy.Field)
		return appendShort(appendShort(dst, policy.Value), policy.Allowed)
	}
	return appendShort(append(dst, StatusError, codeOf(err)), err.Error())
}

// codeOf compares texts, of which no two are alike: errors.Is, and any comparison
// of two errors, brings reflection into the guest.
func codeOf(err error) byte {
	for ; err != nil; err = errors.Unwrap(err) {
		text := err.Error()
		for code := 1; code < len(codes); code++ {
			if text == codes[code].err.Error() {
				return byte(code)
			}
		}
	}
	return 0
}

// coded is an error of the guest: its text, and the sentinel of its code.
type coded struct {
	text string
	is   error
}

func (e *coded) Error() string { return e.text }
func (e *coded) Unwrap() error { return e.is }

// readStatus returns the error that a reply is, or nil and its results.
func readStatus(reply []byte) (*reader, error) {
	r := &reader{unpack.Reader{Rest: reply}}
	var err error
	switch r.Byte() {
	case StatusOK:
		if !r.Bad {
			return r, nil
		}
	case StatusRefused:
		reason, recent := core.Reason(r.Byte()), r.flag()
		if refused := core.NewRefusal(reason, recent, string(r.Short())); refused != nil {
			err = refused
		}
	case StatusError:
		code := int(r.Byte())
		text := string(r.Short())
		switch {
		case code > 0 && code < len(codes) && codes[code].err.Error() == text:
			err = codes[code].err
		case code < len(codes):
			err = &coded{text, codes[code].err}
		}
	case StatusTooLarge:
		err = &core.SizeError{Name: string(r.Short()), Size: int(r.Uint32()), Limit: int(r.Uint32())}
	case StatusPolicy:
		err = &core.PolicyError{Field: string(r.Short()), Value: string(r.Short()), Allowed: string(r.Short())}
	case StatusConflict:
		err = &core.ConflictError{Name: string(r.Short())}
	case StatusUnknownOp:
		err = ErrOp
	case StatusUnknownMachine:
		err = ErrMachine
	}
	if err == nil || !r.end() {
		return nil, ErrMalformed
	}
	return nil, err
}
