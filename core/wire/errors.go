package wire

import (
	"errors"

	"github.com/rockstar-web/sessions/core"
)

// codes are the errors that cross by number, in the order of their codes: new
// ones are appended. Code 0 is an error that is not listed.
var codes = []error{
	1:  core.ErrConflict,
	2:  core.ErrBadRecord,
	3:  core.ErrBadName,
	4:  core.ErrTooLarge,
	5:  core.ErrSeed,
	6:  core.ErrBadUser,
	7:  core.ErrValueName,
	8:  core.ErrLifetime,
	9:  core.ErrBadValue,
	10: core.ErrBadID,
	11: core.ErrNoKey,
	12: core.ErrKeyHex,
	13: core.ErrKeyLength,
	14: core.ErrWeakKey,
	15: core.ErrKeyHexRaw,
	16: core.ErrSameKey,
	17: core.ErrNoSealing,
	18: core.ErrTooManyKeys,
	19: core.ErrNoCipher,
	20: core.ErrKeyTimes,
	21: core.ErrNesting,
	22: core.ErrValueSize,
	23: core.ErrBytes,
	24: errTooManyMachines,
}

var errTooManyMachines = errors.New("wire: the guest keeps 16 machines already; make a new instance")

// appendError appends the whole reply for an error.
func appendError(dst []byte, err error) []byte {
	if refused, ok := errors.AsType[*core.Refusal](err); ok {
		return appendShort(append(dst, StatusRefused, byte(refused.Reason)), refused.Error())
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

// codeOf compares by hand: errors.Is brings reflection into the guest.
func codeOf(err error) byte {
	for ; err != nil; err = errors.Unwrap(err) {
		for code := 1; code < len(codes); code++ {
			if err == codes[code] {
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
	r := &reader{b: reply}
	var err error
	switch r.byte() {
	case StatusOK:
		if !r.bad {
			return r, nil
		}
	case StatusRefused:
		reason := core.Reason(r.byte())
		if refused := core.NewRefusal(reason, string(r.short())); refused != nil {
			err = refused
		}
	case StatusError:
		code := int(r.byte())
		text := string(r.short())
		switch {
		case code > 0 && code < len(codes) && codes[code].Error() == text:
			err = codes[code]
		case code < len(codes):
			err = &coded{text, codes[code]}
		}
	case StatusTooLarge:
		err = &core.SizeError{Name: string(r.short()), Size: int(r.uint32()), Limit: int(r.uint32())}
	case StatusPolicy:
		err = &core.PolicyError{Field: string(r.short()), Value: string(r.short()), Allowed: string(r.short())}
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
